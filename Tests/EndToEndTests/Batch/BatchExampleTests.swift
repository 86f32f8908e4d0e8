import FoundationEssentials
import JSON
import Testing

/// The batches of docs/examples/batch, on the guest that they are written for. It boots once.
@Suite struct BatchExampleTests {
    private static let folder =
        #filePath.split(separator: "/").dropLast(4).reduce("") { "\($0)/\($1)" }
        + "/docs/examples/batch"
    private static let examples = ["year-end", "leap-day", "y2038", "rtc-lost", "certificate", "dhcp-lease"]

    @Test func `the examples pass, and are all that there are`() async throws {
        let there = FaultLab.contents(Self.folder).filter { $0.hasSuffix(".yaml") && !$0.hasSuffix("lab.yaml") }
        #expect(there == Self.examples.map { "\($0).yaml" }.sorted())
        guard FileManager.default.fileExists(atPath: "\(FaultLab.cache)/linux/vmlinuz") else {
            #expect(ProcessInfo.processInfo.environment["CI"] != "true", "there is no Linux guest")
            print(
                "SKIPPED: the examples of batches: there is no \(FaultLab.cache)/linux/vmlinuz (tools/setup.sh makes it)"
            )
            return
        }
        try await FaultLab.with(FaultLab.Bed()) { lab in
            try await Self.boot(lab)
            for example in Self.examples {
                let run = try await lab.fermata("batch", "\(Self.folder)/\(example).yaml", "--parallel", "2")
                #expect(run.status == 0, "\(example): \(run)")
            }
            // What the console said instead, of one that cannot pass.
            let file = try lab.home.file(
                "never.yaml",
                """
                batch: never
                steps:
                  - up: box@booted
                  - send: {machine: box, line: clocks here}
                  - wait: {machine: box, serial: '"tag":"here"'}
                  - wait: {machine: box, serial: login, timeout: 1s}

                """
            )
            let never = try await lab.fermata("batch", file)
            let step = never.result["combinations"]?.arrayValue?.first?["steps"]?.arrayValue?.last
            #expect(never.status == 1 && step?["outcome"]?.stringValue == "failed", "\(never)")
            #expect(step?["output"]?.stringValue?.contains("\"tag\":\"here\"") ?? false, "\(never)")
        }
    }

    /// `box@booted` is there then.
    private static func boot(_ lab: FaultLab) async throws {
        try await lab.done("up", "\(folder)/lab.yaml")
        do {
            let machine = "\(lab.home.path)/logs"
            let deadline = ContinuousClock.now + .seconds(120)
            while !consoleSays("\"event\":\"ready\"", under: machine) {
                guard ContinuousClock.now < deadline else { throw CLIError("the guest does not boot") }
                try await Task.sleep(for: .milliseconds(100))
            }
            try await lab.done("suspend", "box@booted")
        } catch {
            _ = try? await lab.fermata("down", "box")
            throw error
        }
    }

    /// Of any file below a folder.
    private static func consoleSays(_ text: String, under folder: String) -> Bool {
        let files = (try? FileManager.default.subpathsOfDirectory(atPath: folder)) ?? []
        return files.contains { file in
            guard file.contains("serial"), let bytes = FileManager.default.contents(atPath: "\(folder)/\(file)") else {
                return false
            }
            return bytes.firstRange(of: Data(text.utf8)) != nil
        }
    }
}
