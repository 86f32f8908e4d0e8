import Testing
import Time

@testable import PKI

@Suite struct ConcurrencyTests {
    @Test func `tasks that issue and revoke at once lose no record`() async throws {
        let lab = try Lab()
        let doomed = try lab.issue(.hypervisor, "doomed")
        let serials = try await withThrowingTaskGroup(of: String.self) { group in
            for number in 0..<24 {
                group.addTask {
                    if number == 12 { try lab.authority.revoke(name: "doomed", now: lab.now) }
                    return try lab.issue(.hypervisor, "edge\(number)").identity.serial
                }
            }
            return try await group.reduce(into: Set<String>()) { $0.insert($1) }
        }
        let records = try lab.authority.list()
        #expect(serials.count == 24)
        #expect(Set(records.map(\.serial)) == serials.union([doomed.identity.serial]))
        #expect(records.count == 25)
        #expect(records.filter { $0.revoked != nil }.map(\.name) == ["doomed"])
        #expect(try lab.authority.revocations(now: lab.now).entries.map(\.serial) == [doomed.identity.serial])
    }

    @Test func `processes that issue at once lose no record`() async throws {
        let lab = try Lab()
        let path = lab.authority.path
        async let first: Void = Self.issueInProcess(path, "a")
        async let second: Void = Self.issueInProcess(path, "b")
        _ = await (first, second)
        let names = try lab.authority.list().map(\.name)
        #expect(names.sorted() == ["a", "b"].flatMap { prefix in (10..<40).map { "\(prefix)\($0)" } })
    }

    private static func issueInProcess(_ path: String, _ prefix: String) async {
        await #expect(processExitsWith: .success) { [path = path as String, prefix = prefix as String] in
            let authority = try Authority(openingAt: path)
            for number in 10..<40 {
                _ = try authority.issue(role: .hypervisor, name: "\(prefix)\(number)", now: Lab.now)
            }
        }
    }

    @Test func `of several that make an authority in one place, one does`() async throws {
        let folder = try Folder()
        let path = folder.place("pki")
        let outcomes = await withTaskGroup(of: PKIError.Code?.self) { group in
            for _ in 0..<8 {
                group.addTask { code { _ = try Authority.create(at: path, name: "lab", now: Lab.now) } }
            }
            return await group.reduce(into: [PKIError.Code?]()) { $0.append($1) }
        }
        #expect(outcomes.filter { $0 == nil }.count == 1)
        #expect(outcomes.filter { $0 == .exists }.count == 7)
        _ = try Authority(openingAt: path).issue(role: .control, name: "desk", now: Lab.now)
        #expect(folder.names == ["pki"])
    }
}
