import Glibc
import JSON
import Testing

extension FaultTests {
    /// Machines of two hosts, with real agents in processes of their own.
    @Suite struct HostsTests {
        @Test(arguments: FaultLab.QEMU.present)
        func `machines of two hosts are saved, resumed and removed as one, each host's bytes on its own disk`(
            _ qemu: FaultLab.QEMU
        ) async throws {
            try await HostsLab.with(qemu) { lab in
                let desk = lab.desk
                let up = try await desk.done("up", try lab.manifest())
                #expect(
                    up.result["machines"]?.arrayValue?.compactMap { $0["host"]?.stringValue }.contains(HostsLab.host)
                        == true
                )
                #expect(try await lab.states() == HostsLab.running)

                let suspend = try await desk.done("suspend", "\(FaultLab.name)@s1", "--sealed")
                #expect(suspend.result["machines"]?.arrayValue?.count == 2)
                let bound = try #require(suspend.result["clockErrorBoundNs"]?.int64Value)
                #expect(bound > 0)
                #expect(try await lab.states() == [:])
                #expect(
                    lab.machines(of: "s1", on: desk) == ["alpha"] && lab.machines(of: "s1", on: lab.far) == ["beta"]
                )

                try await desk.done("resume", FaultLab.name)
                #expect(try await lab.states() == HostsLab.running)
                let processes = lab.processes
                try await desk.done("checkpoint", FaultLab.name, "--as", "c1")
                #expect(try await lab.states() == HostsLab.running)
                #expect(lab.processes == processes)
                #expect(
                    lab.machines(of: "c1", on: desk) == ["alpha"] && lab.machines(of: "c1", on: lab.far) == ["beta"]
                )
                for checkpoint in ["s1", "c1"] { try await desk.done("verify", "\(FaultLab.name)@\(checkpoint)") }

                try await desk.done("clock", "\(FaultLab.name)@s1", "--clock", "+1h", "--as", "later")
                #expect(lab.machines(of: "later", on: lab.far) == ["beta"])
                try await desk.done("rewind", "\(FaultLab.name)@later", "--discard")
                #expect(try await lab.states() == HostsLab.running)
                #expect(lab.processes.count == 2 && lab.processes != processes)

                let needed = try await desk.fermata("host", "rm", HostsLab.host)
                #expect(needed.status == 3 && Set(needed.codes) == ["host-in-use"], "\(needed)")
                try await desk.done("down", FaultLab.name)
                #expect(lab.processes.isEmpty)
                try await desk.done("up", try lab.manifest(host: HostsLab.host))
                try await desk.done("down", FaultLab.name)
                try await desk.done("rm", "\(FaultLab.name)@s1", "\(FaultLab.name)@c1", "\(FaultLab.name)@later")
                #expect(FaultLab.contents("\(lab.far.home.path)/checkpoints/\(FaultLab.name)") == [])
            }
        }

        @Test func `what cannot be placed is refused before anything starts`() async throws {
            try await HostsLab.with(.installed) { lab in
                let desk = lab.desk
                let unknown = try await desk.fermata("up", try lab.manifest(host: "nowhere"))
                #expect(unknown.status == 1 && Set(unknown.codes) == ["host-not-found"], "\(unknown)")
                let noLabel = try await desk.fermata("up", try lab.manifest(host: "rack=b"))
                #expect(noLabel.status == 1 && Set(noLabel.codes) == ["host-not-found"], "\(noLabel)")
                try await desk.done("host", "drain", HostsLab.host)
                let drained = try await desk.fermata("up", try lab.manifest())
                #expect(drained.status == 3 && Set(drained.codes) == ["host-drained"], "\(drained)")
                #expect(lab.processes.isEmpty)
                try await desk.done("host", "drain", HostsLab.host, "--undo")
                try await desk.done("up", try lab.manifest())
                #expect(try await lab.states() == HostsLab.running)

                let again = try await desk.fermata("host", "add", HostsLab.host, lab.address)
                #expect(again.status == 3 && Set(again.codes) == ["host-exists"], "\(again)")
                let wrong = try await desk.fermata("host", "add", "other", lab.address)
                #expect(wrong.status == 3 && Set(wrong.codes) == ["host-unreachable"], "\(wrong)")
                #expect(wrong.messages.contains("hypervisor \(HostsLab.host)"), "\(wrong)")
                let nobody = try await desk.fermata("host", "add", "other", "127.0.0.1:1")
                #expect(nobody.status == 3 && Set(nobody.codes) == ["host-unreachable"], "\(nobody)")
                let noAddress = try await desk.fermata("host", "add", "other", "somewhere")
                #expect(noAddress.status == 2 && Set(noAddress.codes) == ["address-invalid"], "\(noAddress)")

                // Who has been revoked is not heard any more, and says so.
                try await desk.done("pki", "revoke", "desk")
                try lab.publishRevocations()
                try await Task.sleep(for: .seconds(1))
                let revoked = try await desk.fermata("suspend", FaultLab.name)
                #expect(revoked.status == 3, "\(revoked)")
                #expect(try await lab.states() == HostsLab.running)
            }
        }
    }
}
