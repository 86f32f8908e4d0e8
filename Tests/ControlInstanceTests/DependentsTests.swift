import FoundationEssentials
import HypervisorAPI
import Testing

@testable import ControlInstance

/// Removing a checkpoint when it cannot be told what another one needs.
struct DependentsTests {
    /// Checkpoints `s1` and `s2`, the simulation down.
    private func twoCheckpoints(_ bench: Bench) async throws -> ControlInstance {
        let control = try bench.control()
        try await bench.up(control)
        _ = try await bench.suspend(control)
        _ = try await bench.resume(control)
        _ = try await bench.suspend(control)
        _ = try await control.down("sim")
        return control
    }

    /// Another manifest, with a digest that fits or not.
    private func rewrite(_ name: String, _ bench: Bench, digest: Bool, _ change: (String) -> String) throws {
        let folder = "\(bench.home)/checkpoints/sim/\(name)"
        let text = change(
            String(decoding: try Data(contentsOf: URL(filePath: "\(folder)/checkpoint.json")), as: UTF8.self)
        )
        try Data(text.utf8).write(to: URL(filePath: "\(folder)/checkpoint.json"))
        guard digest else { return }
        let line = "\(HexDigest.sha256(Array(text.utf8)))  checkpoint.json\n"
        try Data(line.utf8).write(to: URL(filePath: "\(folder)/checkpoint.json.sha256"))
    }

    private func newer(_ text: String) -> String {
        text.replacing("\"format\" : 2", with: "\"format\" : 3")
    }

    private func refusal(_ control: ControlInstance, _ name: String) async -> ControlError? {
        await #expect(throws: ControlError.self) { try await control.remove("sim", name) }
    }

    @Test(arguments: [true, false])
    func whatANewerReleaseWroteOrIsDamagedKeepsWhatItMayLieOn(_ isNewer: Bool) async throws {
        let bench = try Bench()
        let control = try await twoCheckpoints(bench)
        try rewrite("s2", bench, digest: isNewer) { isNewer ? newer($0) : $0 + " " }
        let error = await refusal(control, "s1")
        #expect(error?.reasons.map(\.code) == ["checkpoint-in-use"] && error?.exitCode == 3)
        #expect(error?.description.contains("sim@s2") == true, "it is named: \(String(describing: error))")
        #expect(error?.description.contains("remove sim@s2 first") == true, "and what can be done is said")
        #expect(bench.folders == ["s1", "s2"])
        try await control.remove("sim", "s2")
        try await control.remove("sim", "s1")
        #expect(bench.folders.isEmpty)
    }

    @Test func twoUnreadableOnesDoNotKeepEachOther() async throws {
        let bench = try Bench()
        let control = try await twoCheckpoints(bench)
        for name in ["s1", "s2"] { try rewrite(name, bench, digest: true, newer) }
        #expect(await refusal(control, "s1") != nil)
        try await control.remove("sim", "s2")
        try await control.remove("sim", "s1")
    }

    @Test func oneThatTheDatabaseDoesNotKnowCountsToo() async throws {
        let bench = try Bench()
        let control = try await twoCheckpoints(bench)
        let record = try #require(try await bench.store.checkpoint("s2", of: "sim"))
        try await bench.store.apply(StoreChange(removedCheckpoint: record))
        try rewrite("s2", bench, digest: true, newer)
        let error = await refusal(control, "s1")
        #expect(error?.description.contains("move \(bench.home)/checkpoints/sim/s2 away") == true)
        #expect(bench.folders == ["s1", "s2"])
    }
}
