import FoundationEssentials
import HypervisorAPI
import Synchronization
import Testing
import Time

@testable import ControlInstance

/// What goes from one agent to another does not come through the control instance, unless the two cannot reach each other.
struct MoveBetweenAgentsTests {
    private static let file = "machines/c/state.qemu"
    private static let away = HypervisorError(code: "host-unreachable", message: "nobody answers")
    private static let apart = HypervisorError(code: "peer-unreachable", message: "no route")
    private static let forgotten = HypervisorError(code: "grant-refused", message: "what ticket?")
    private static let old = HypervisorError(code: "version-mismatch", message: "there is no such thing here")

    private struct Lab {
        let bench: Bench
        let third: ScriptedHypervisor
        let control: ControlInstance

        /// Of machine `c`, five bytes from the right host to the third.
        func move() async throws(ControlError) -> CheckpointDetail {
            try await control.move(MoveRequest(simulation: "sim", checkpoint: "s1", hosts: ["c": "third"]))
        }

        func calls(_ host: ScriptedHypervisor, _ names: String...) -> [String] {
            host.calls.filter { call in names.contains { call.hasPrefix($0 + " ") } }
        }

        /// By way.
        func counted() async throws -> [String: Int] {
            let lines = try await control.metrics().split(separator: "\n").filter {
                $0.hasPrefix("fermata_transfer_bytes")
            }
            return Dictionary(
                uniqueKeysWithValues: lines.compactMap { line in
                    guard let match = line.wholeMatch(of: /.*\{way="([a-z]+)"\} ([0-9]+)/), let count = Int(match.2)
                    else {
                        return nil
                    }
                    return (String(match.1), count)
                }
            )
        }
    }

    private func suspended(patience: Span = .seconds(20)) async throws -> Lab {
        let folder = try TemporaryFolder()
        let bench = Bench(folder, try SQLiteStore(path: "\(folder.path)/state.sqlite"))
        let third = ScriptedHypervisor(host: "third", folder: folder)
        var options = Bench.options
        options.transferPatience = patience
        let control = try ControlInstance(
            home: bench.home,
            hypervisors: [bench.left, bench.right, third],
            store: bench.store,
            options: options
        )
        try await bench.up(control)
        try #require(try await bench.suspend(control).outcome == .done)
        return Lab(bench: bench, third: third, control: control)
    }

    private func expectWhole(_ lab: Lab, _ moved: CheckpointDetail) async throws {
        #expect(moved.manifest.hosts == ["a": "left", "b": "left", "c": "third"])
        let path = "\(lab.bench.home)/checkpoints/sim/s2/\(Self.file)"
        #expect(try Data(contentsOf: URL(filePath: path)) == Data("state".utf8))
        #expect(try await lab.bench.resume(lab.control, "s2").outcome == .done)
        #expect(lab.third.states(of: "sim") == ["c": .running])
    }

    private func expectRefused(_ lab: Lab) async throws -> ControlError {
        let error = await #expect(throws: ControlError.self) { _ = try await lab.move() }
        #expect(lab.bench.folders == ["s1"], "nothing is left of the new one")
        #expect(try await lab.bench.store.checkpoints(of: nil).map(\.name) == ["s1"])
        return try #require(error)
    }

    @Test func `bytes go from the one to the other, by a grant that ends with it`() async throws {
        let lab = try await suspended()
        let moved = try await lab.move()
        #expect(moved.notes == nil)
        #expect(lab.calls(lab.bench.right, "grant", "read") == ["grant third \(Self.file)"])
        #expect(
            lab.calls(lab.third, "fetch", "write") == [0, 2, 4].map { "fetch \(Self.file) \($0) of right by 1" }
        )
        while lab.calls(lab.bench.right, "end-grant") != ["end-grant 1"] { try await Task.sleep(for: .milliseconds(1)) }
        #expect(try await lab.counted() == ["direct": 5, "relayed": 0, "shared": 0])
        try await expectWhole(lab, moved)
    }

    @Test(arguments: [apart, forgotten])
    func `who forgot the grant gives another, and it goes on where it stopped`(_ loss: HypervisorError) async throws {
        let lab = try await suspended()
        lab.third.world.withLock { $0.fetches = [nil, loss, nil, loss] }
        lab.bench.right.world.withLock { $0.grants = [nil, Self.away, Self.away] }
        let moved = try await lab.move()
        #expect(moved.notes == nil && lab.calls(lab.bench.right, "read").isEmpty)
        let asked = [(0, 1), (2, 1), (2, 4), (4, 4), (4, 5)]
        #expect(
            lab.calls(lab.third, "fetch") == asked.map { "fetch \(Self.file) \($0.0) of right by \($0.1)" },
            "and who is away is waited for"
        )
        try await expectWhole(lab, moved)
    }

    @Test func `two that cannot reach each other have it brought, from where it stopped, and that is told`()
        async throws
    {
        let lab = try await suspended()
        lab.third.world.withLock { $0.fetches = [nil, Self.apart, Self.apart] }
        let moved = try await lab.move()
        let notes = moved.notes ?? []
        #expect(notes.count == 1, "\(notes)")
        for word in ["host right to third", "through the control instance", "no route"] {
            #expect(notes.first?.contains(word) == true, "\(word): \(notes)")
        }
        #expect(lab.calls(lab.bench.right, "read") == [2, 4].map { "read \(Self.file) \($0)" })
        #expect(lab.calls(lab.third, "write") == [2, 4].map { "write \(Self.file) \($0)" })
        #expect(try await lab.counted() == ["direct": 2, "relayed": 3, "shared": 0])
        try await expectWhole(lab, moved)
    }

    @Test(arguments: [true, false])
    func `an agent of an older release has it brought at once`(_ isSender: Bool) async throws {
        let lab = try await suspended()
        if isSender {
            lab.bench.right.world.withLock { $0.grants = [Self.old] }
        } else {
            lab.third.world.withLock { $0.fetches = [Self.old] }
        }
        let moved = try await lab.move()
        #expect(moved.notes?.count == 1)
        #expect(lab.calls(lab.third, "fetch").count == (isSender ? 0 : 1))
        #expect(lab.calls(lab.bench.right, "read").count == 3)
        try await expectWhole(lab, moved)
    }

    @Test func `a receiver that was away is asked again from where it stopped`() async throws {
        let lab = try await suspended()
        lab.third.world.withLock { $0.fetches = [nil, Self.away, Self.away, nil] }
        let moved = try await lab.move()
        #expect(moved.notes == nil)
        #expect(lab.calls(lab.third, "fetch") == [0, 2, 2, 2, 4].map { "fetch \(Self.file) \($0) of right by 1" })
        try await expectWhole(lab, moved)
    }

    @Test(arguments: [true, false])
    func `one of both that stays away ends it, with hosts, file and how far it came`(_ isSender: Bool) async throws {
        let lab = try await suspended(patience: .milliseconds(50))
        let silence = [HypervisorError?](repeating: Self.away, count: 1000)
        lab.third.world.withLock { $0.fetches = [nil] + (isSender ? [Self.apart] : silence) }
        if isSender { lab.bench.right.world.withLock { $0.grants = [nil] + silence } }
        let error = try await expectRefused(lab)
        #expect(error.reasons.map(\.code) == ["host-unreachable"])
        for word in ["host right to third", Self.file, "2 of 5 bytes", "nobody answers"] {
            #expect(error.description.contains(word), "\(word): \(error)")
        }
    }

    @Test func `what is wrong with the file or its place ends it`() async throws {
        let lab = try await suspended()
        for code in ["checkpoint-corrupt", "no-space"] {
            lab.third.world.withLock { $0.fetches = [nil, HypervisorError(code: code, message: "so it is")] }
            #expect(try await expectRefused(lab).reasons.map(\.code) == [code])
        }
        let damage = Reason(code: "checkpoint-corrupt", machine: "c", message: "it has another digest")
        lab.third.world.withLock { $0.verdict = [damage] }
        let error = try await expectRefused(lab)
        #expect(error.reasons == [damage] && error.exitCode == 6, "what arrives is compared")
        #expect(lab.calls(lab.bench.right, "read").isEmpty)
    }

    @Test func `what a daemon that died was bringing is removed by the next`() async throws {
        let bench = try Bench()
        let exports = "\(bench.home)/exports/one"
        try FileManager.default.createDirectory(atPath: exports, withIntermediateDirectories: true)
        try Data("sim\ns2".utf8).write(to: URL(filePath: "\(exports)/moving"))
        var options = Bench.options
        options.settlePause = .milliseconds(1)
        let control = try bench.control(options: options)
        #expect(await control.recover().problems.isEmpty)
        while !bench.right.calls.contains("remove sim/s2.partial") { try await Task.sleep(for: .milliseconds(1)) }
    }

    @Test func `what lies in a folder that both hosts see is taken from there`() async throws {
        let lab = try await suspended()
        lab.third.world.withLock { $0.shared = [.success(true)] }
        let moved = try await lab.move()
        #expect(moved.notes == nil && lab.third.world.withLock { $0.looked } == ["\(Self.file) 5"])
        #expect(lab.calls(lab.third, "fetch", "write").isEmpty && lab.calls(lab.bench.right, "read", "grant").isEmpty)
        #expect(try await lab.counted() == ["direct": 0, "relayed": 0, "shared": 5])
        try await expectWhole(lab, moved)
    }

    @Test(arguments: [away, old])
    func `a host that loses touch while it looks, or cannot, has it sent`(_ failure: HypervisorError) async throws {
        let lab = try await suspended()
        lab.third.world.withLock { $0.shared = [.failure(failure)] }
        let moved = try await lab.move()
        #expect(lab.calls(lab.third, "fetch").count == 3)
        try await expectWhole(lab, moved)
    }

    @Test func `no room for what lies there ends it`() async throws {
        let lab = try await suspended()
        lab.third.world.withLock { $0.shared = [.failure(HypervisorError(code: "no-space", message: "full"))] }
        #expect(try await expectRefused(lab).reasons.map(\.code) == ["no-space"])
        #expect(lab.calls(lab.third, "fetch").isEmpty)
    }
}
