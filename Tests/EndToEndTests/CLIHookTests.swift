import FoundationEssentials
import Glibc
import JSON
import Testing

/// Hooks of a manifest on real machines: what they see, and that no hook holds an operation or leaves a process.
@Suite struct CLIHookTests {
    private static func manifest(_ lab: FaultLab, _ hooks: [String: String], timeout: String = "20s") throws -> String {
        let lines = try hooks.sorted { $0.key < $1.key }.map { event, script in
            let path = try lab.home.file(event, "#!/bin/sh\n\(script)\n")
            guard chmod(path, 0o700) == 0 else { throw CLIError("\(path) cannot be made a program") }
            return "  \(event): {run: [./\(event)], timeout: \(timeout)}"
        }
        return try lab.home.file(
            "hooked.yaml",
            """
            simulation: \(FaultLab.name)
            machines:
              alpha: {qemu: \(lab.bed.qemu.path), machine: pc, memory: 32M}
            hooks:
            \(lines.joined(separator: "\n"))

            """
        )
    }

    @Test func `a hook reads plan and report, and one that says 3 keeps the machines running`() async throws {
        try await FaultLab.with(FaultLab.Bed(ram: "file")) { lab in
            let folder = lab.home.folder
            let manifest = try Self.manifest(
                lab,
                [
                    "before-suspend":
                        "cat > \(folder)/plan; test ! -e \(folder)/busy || { echo 'the bench is busy' >&2; exit 3; }",
                    "after-suspend": "cat > \(folder)/report",
                ]
            )
            try await lab.done("up", manifest)
            _ = try lab.home.file("busy", "")
            let refused = try await lab.fermata("suspend", "\(FaultLab.name)@s1")
            #expect(refused.status == 3 && refused.codes.contains("hook-vetoed"), "\(refused)")
            #expect(refused.messages.contains("the bench is busy"))
            #expect(lab.qemus().count == 1 && lab.checkpoints.isEmpty)
            unlink("\(folder)/busy")
            let done = try await lab.done("suspend", "\(FaultLab.name)@s1")
            let plan = try JSONValue(parsing: String(contentsOfFile: "\(folder)/plan", encoding: .utf8))
            let report = try JSONValue(parsing: String(contentsOfFile: "\(folder)/report", encoding: .utf8))
            #expect(plan["event"]?.stringValue == "before-suspend" && plan["checkpoint"]?.stringValue == "s1")
            #expect(report["report"]?["outcome"]?.stringValue == "done")
            #expect(done.result["hooks"]?.arrayValue?.count == 2)
        }
    }

    @Test func `a hook that hangs, forks, or floods its output holds nothing and leaves nothing`() async throws {
        try await FaultLab.with(FaultLab.Bed(ram: "file")) { lab in
            let mark = "hook-\(UInt32.random(in: 0...UInt32.max))"
            let manifest = try Self.manifest(
                lab,
                [
                    "before-suspend": "exec sh -c 'sleep 1000; : \(mark)'",
                    "after-suspend": "for i in 1 2 3; do setsid sh -c 'sleep 1000; : \(mark)' & done; sleep 0.3",
                    "before-resume": "yes \(mark)",
                ],
                timeout: "1s"
            )
            try await lab.done("up", manifest)
            let suspend = try await lab.done("suspend", "\(FaultLab.name)@s1")
            let hooks = suspend.result["hooks"]?.arrayValue ?? []
            #expect(hooks.map { $0["end"]?.stringValue } == ["timeout", "exited"], "\(suspend)")
            #expect((hooks.last?["stragglers"]?.int64Value ?? 0) >= 3, "\(suspend)")
            let resume = try await lab.done("resume", FaultLab.name)
            let flood = resume.result["hooks"]?.arrayValue?.first
            #expect(
                flood?["end"]?.stringValue == "timeout" && (flood?["output"]?.stringValue?.utf8.count ?? 0) < 20_000
            )
            let left = ((try? FileManager.default.contentsOfDirectory(atPath: "/proc")) ?? []).filter { process in
                let line = Int(process) == nil ? nil : FileManager.default.contents(atPath: "/proc/\(process)/cmdline")
                return line?.firstRange(of: Array(mark.utf8)) != nil
            }
            #expect(left.isEmpty && lab.qemus().count == 1)
        }
    }
}
