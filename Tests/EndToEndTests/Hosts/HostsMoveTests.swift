import FoundationEssentials
import Glibc
import JSON
import Testing

extension FaultTests {
    /// A machine is saved on one host and goes on on another: real agents in processes of their own, real TLS, real QEMU.
    @Suite struct HostsMoveTests {
        private static let target = "\(FaultLab.name)@s1"

        @Test(arguments: FaultLab.QEMU.present)
        func `what one host saved goes on on the other, with its clock`(_ qemu: FaultLab.QEMU) async throws {
            try await HostsLab.with(qemu) { lab in
                let seed = try HostsTransferTests.seed(lab, regions: 3)
                try await lab.desk.done("up", try lab.manifest(disk: seed))
                let suspended = try await lab.desk.done("suspend", Self.target)
                let own = try await lab.ownName()
                // Each changes its host, and one of them after the other joins it.
                let away = try await lab.desk.done("resume", FaultLab.name, "--host", "alpha=\(HostsLab.host)")
                #expect(lab.desk.qemus(of: "alpha") == [] && lab.far.qemus(of: "alpha").count == 1)
                #expect(lab.far.qemus(of: "beta").count == 1)
                #expect(away.result["spreadNs"]?.int64Value != nil, "\(away)")
                Self.expectSameClocks(suspended, away)
                try await lab.desk.done("suspend", "\(FaultLab.name)@far")
                #expect(lab.machines(of: "far", on: lab.far) == ["alpha", "beta"])
                try await lab.desk.done("verify", "\(FaultLab.name)@s2")
                let back = try await lab.desk.done(
                    "resume",
                    "\(FaultLab.name)@far",
                    "--host",
                    "alpha=\(own)",
                    "--host",
                    "beta=\(own)"
                )
                #expect(back.status == 0)
                #expect(lab.desk.qemus(of: "alpha").count == 1 && lab.desk.qemus(of: "beta").count == 1)
                #expect(lab.far.qemus(of: "alpha") == [] && lab.far.qemus(of: "beta") == [])
                try await lab.desk.done("down", FaultLab.name)
                // The old one is what it was, where it was.
                try await lab.desk.done("verify", Self.target)
                try await lab.desk.done("resume", Self.target)
                #expect(try await lab.states() == HostsLab.running)
            }
        }

        @Test
        func `a host that dies while a machine comes leaves the checkpoint as it was, and nothing of the new one`()
            async throws
        {
            try await HostsLab.with(.installed) { lab in
                let seed = try HostsTransferTests.seed(lab, regions: 3000)
                try await lab.desk.done("up", try lab.manifest(disk: seed, of: "alpha"))
                try await lab.desk.done("suspend", Self.target, "--sealed")
                let answer = try await lab.desk.follow("resume", Self.target, "--host", "alpha=\(HostsLab.host)") { _ in
                    let came =
                        "\(lab.far.home.path)/checkpoints/\(FaultLab.name)/s2.partial.arriving/machines/alpha/disk-seed.raw"
                    try await FaultLab.wait(for: "the image to come") { access(came, F_OK) == 0 }
                    try await lab.killAgent()
                }
                #expect(answer.status == 1 && Set(answer.codes) == ["host-unreachable"], "\(answer)")
                #expect(lab.desk.checkpoints == ["s1"])
                try await lab.startAgent()
                try await FaultLab.wait(for: "nothing to be left") {
                    lab.far.checkpoints == ["s1"] && FaultLab.contents("\(lab.desk.home.path)/exports") == []
                }
                try await lab.desk.done("verify", Self.target)
                try await lab.desk.done("resume", Self.target)
                #expect(try await lab.states() == HostsLab.running)
            }
        }

        @Test func `a drained host takes none`() async throws {
            try await HostsLab.with(.installed) { lab in
                try await lab.desk.done("up", try lab.manifest())
                try await lab.desk.done("suspend", Self.target)
                try await lab.desk.done("host", "drain", HostsLab.host)
                let answer = try await lab.desk.fermata("resume", Self.target, "--host", "alpha=\(HostsLab.host)")
                #expect(answer.status == 3 && Set(answer.codes) == ["host-drained"], "\(answer)")
                let stays = try await lab.desk.fermata("resume", Self.target)
                let hint = "hint: 'fermata resume \(Self.target) --host MACHINE=HOST'"
                #expect(stays.status == 3 && stays.run.errors.contains(hint), "\(stays)")
                // Away from it is allowed, and is what it is for.
                try await lab.desk.done("resume", Self.target, "--host", "beta=\(try await lab.ownName())")
                #expect(lab.desk.qemus(of: "beta").count == 1 && lab.far.qemus(of: "beta") == [])
            }
        }

        /// What each guest's RTC read when it stopped is what it reads when it goes on.
        private static func expectSameClocks(_ suspended: FaultLab.Answer, _ resumed: FaultLab.Answer) {
            func clocks(_ answer: FaultLab.Answer, _ key: String) -> [String: Int64] {
                let machines = answer.result["machines"]?.arrayValue ?? []
                return Dictionary(
                    machines.compactMap { machine in
                        guard let name = machine["name"]?.stringValue, let clock = machine[key]?["rtcNs"]?.int64Value
                        else { return nil }
                        return (name, clock)
                    },
                    uniquingKeysWith: { first, _ in first }
                )
            }
            let before = clocks(suspended, "clock")
            #expect(before.count == 2 && clocks(resumed, "clockAfter") == before, "\(suspended)\n\(resumed)")
        }
    }
}

extension HostsLab {
    /// Of the control instance's own host.
    fileprivate func ownName() async throws -> String {
        let answer = try await desk.done("host", "ls")
        let hosts = answer.result["hosts"]?.arrayValue ?? answer.result.arrayValue ?? []
        guard let name = hosts.first?["name"]?.stringValue else { throw CLIError("no own host: \(answer)") }
        return name
    }
}
