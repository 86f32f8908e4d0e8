import FoundationEssentials
import Glibc
import JSON
import Testing

extension FaultTests {
    /// The answer to "can you do this at that time?" has every reason why not, of all machines and of all kinds at once.
    @Suite struct ReadinessTests {
        @Test(arguments: FaultLab.QEMU.present)
        func `machines that stand still, one that QEMU cannot save, and an instant that is past are told together`(
            _ qemu: FaultLab.QEMU
        ) async throws {
            try await FaultLab.with(qemu) { lab in
                try await lab.upUnsavable()
                for machine in FaultLab.machines { try MonitorProbe(path: lab.probe(machine)).ask("stop") }
                let standing = ["alpha/machine-not-running", "alpha/migration-blocked", "beta/machine-not-running"]
                for (arguments, expected) in [
                    ([], standing), (["--at", "2020-01-01T00:00:00Z"], standing + ["/instant-past"]),
                    // Whatever the time is when it gets there, the rest is told with it.
                    (["--in", "1ms"], standing + ["/instant-"]),
                ] {
                    let suspend = try await lab.suspend(arguments)
                    #expect(suspend.status == 3, "\(suspend)")
                    for reason in expected {
                        #expect(suspend.reasons.contains { $0.hasPrefix(reason) }, "\(reason): \(suspend)")
                    }
                    #expect(suspend.reasons.count == expected.count, "\(suspend)")
                    try await lab.expect(["alpha": "paused", "beta": "paused"], "\(suspend)")
                    #expect(lab.checkpoints == [])
                }
            }
        }

        @Test
        func `a resource that is not in order refuses the suspend, with all other reasons, and nothing has changed`()
            async throws
        {
            try await FaultLab.with { lab in
                try await lab.upWithResource()
                for answer in ["1", "hang", "nonsense"] {
                    try lab.answerChecks(answer)
                    let suspend = try await lab.suspend([])
                    #expect(suspend.status == 3, "\(answer): \(suspend)")
                    #expect(suspend.codes == ["resource-check-failed"], "\(answer): \(suspend)")
                    #expect(suspend.messages.contains("vpn"), "\(answer): \(suspend)")
                    try await lab.expect(["alpha": "running"], "\(answer): \(suspend)")
                    #expect(lab.checkpoints == [])
                }
                try MonitorProbe(path: lab.probe("alpha")).ask("stop")
                let both = try await lab.suspend([])
                #expect(Set(both.codes) == ["machine-not-running", "resource-check-failed"], "\(both)")
                try MonitorProbe(path: lab.probe("alpha")).ask("cont")
                #expect(try lab.resourceLog() == ["acquired"])

                try lab.answerChecks("0")
                try await lab.done("suspend", "\(FaultLab.name)@first")
                #expect(try lab.resourceLog() == ["acquired", "released"])
                // What is acquired anew is held: nobody asks before the next suspend.
                try lab.answerChecks("1")
                try await lab.done("resume", FaultLab.name)
                try await lab.expect(["alpha": "running"], "after the resume")
            }
        }
    }
}

extension FaultLab.Answer {
    /// `machine/code` of each reason.
    var reasons: [String] {
        (result["reasons"]?.arrayValue ?? []).map {
            "\($0["machine"]?.stringValue ?? "")/\($0["code"]?.stringValue ?? "")"
        }
    }
}

extension FaultLab {
    func suspend(_ arguments: [String]) async throws -> Answer {
        Answer(
            run: try await CLIRun.fermata(
                ["suspend", Self.name] + arguments + ["--json"],
                in: home,
                environment: ["FERMATA_CACHE": Self.cache]
            )
        )
    }

    /// Whether an operation is prepared, and certain to happen at its instant.
    var isArmed: Bool {
        journal.contains { name in
            let entry = try? String(contentsOfFile: "\(home.path)/journal/\(name)", encoding: .utf8)
            return entry?.contains(#""armed""#) ?? false
        }
    }

    /// As ``up()``, but `alpha` has a device that QEMU cannot save.
    func upUnsavable() async throws {
        let monitor = { (machine: String) in "-qmp, \"unix:\(probe(machine)),server=on,wait=off\"" }
        _ = try home.file(
            "lab.yaml",
            """
            simulation: \(Self.name)
            machines:
              alpha: {qemu: \(bed.qemu.path), machine: q35, memory: 32M, args: [\(monitor("alpha")), -device, "nvme,serial=1"]}
              beta: {qemu: \(bed.qemu.path), machine: pc, memory: 32M, args: [\(monitor("beta"))]}
            \(resources)

            """
        )
        try await done("up", "\(home.folder)/lab.yaml")
    }

    /// `alpha` alone, and a resource whose check ends as ``answerChecks(_:)`` says.
    func upWithResource() async throws {
        try answerChecks("0")
        _ = try home.file(
            "check.sh",
            """
            #!/bin/sh
            code=$(cat '\(home.folder)/answer')
            if [ "$code" = hang ]; then exec sleep 60; fi
            exit "$code"

            """
        )
        chmod("\(home.folder)/check.sh", 0o755)
        let ledger = "\(home.folder)/ledger"
        _ = try home.file(
            "lab.yaml",
            """
            simulation: \(Self.name)
            machines:
              alpha: {qemu: \(bed.qemu.path), machine: pc, memory: 32M, args: [-qmp, "unix:\(probe("alpha")),server=on,wait=off"]}
            resources:
              vpn:
                acquire: [/bin/sh, -c, "echo acquired >>'\(ledger)'"]
                release: [/bin/sh, -c, "echo released >>'\(ledger)'"]
                check: [./check.sh]
                timeout: 2s

            """
        )
        try await done("up", "\(home.folder)/lab.yaml")
    }

    func answerChecks(_ answer: String) throws { _ = try home.file("answer", "\(answer)\n") }

    func resourceLog() throws -> [String] {
        try String(contentsOfFile: "\(home.folder)/ledger", encoding: .utf8).split(separator: "\n").map(String.init)
    }
}
