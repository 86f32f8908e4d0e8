import FoundationEssentials
import Glibc
import JSON
import Testing

extension FaultTests {
    /// A machine goes from one agent to another, which reads it from there: three hosts, real agents, real TLS, real QEMU. Who can reach whom, and
    /// how many bytes the control instance sees, is for `tools/hosts`, where hosts have networks of their own.
    @Suite struct HostsDirectTests {
        private static let target = "\(FaultLab.name)@s1"
        private static let seed = "machines/beta/disk-seed.raw"

        /// `beta` saved on the second host, with an image that takes long to come: each region of it is a piece of its own.
        private static func suspended(_ body: @Sendable (HostsLab, HostsLab) async throws -> Void) async throws {
            try await HostsLab.withThird { lab, third in
                let seed = try HostsTransferTests.seed(lab, regions: 1000)
                try await lab.desk.done("up", try lab.manifest(disk: seed))
                try await lab.desk.done("suspend", target, "--sealed")
                try await body(lab, third)
            }
        }

        /// Lets `fault` happen when some of the image has come.
        private static func moving(
            _ lab: HostsLab,
            _ third: HostsLab,
            _ fault: @Sendable (String) async throws -> Void
        ) async throws -> FaultLab.Answer {
            try await lab.desk.follow("resume", target, "--host", "beta=\(HostsLab.third)") { _ in
                let folder = "\(third.far.home.path)/checkpoints/\(FaultLab.name)/s2.partial.arriving"
                try await FaultLab.wait(for: "the image to come") { access("\(folder)/\(seed)", F_OK) == 0 }
                try await fault(folder)
            }
        }

        private static func expectNothingLeft(_ lab: HostsLab, _ third: HostsLab) async throws {
            try await FaultLab.wait(for: "nothing to be left") {
                [lab.desk, lab.far].allSatisfy { $0.checkpoints == ["s1"] } && third.far.checkpoints == []
                    && [lab.desk, lab.far].allSatisfy { FaultLab.contents("\($0.home.path)/exports") == [] }
            }
            try await lab.desk.done("verify", target)
        }

        @Test func `an agent that is killed and started again goes on where it stopped, on either side`() async throws {
            try await Self.suspended { lab, third in
                for host in [lab, third] {
                    let answer = try await Self.moving(lab, third) { folder in
                        try await host.killAgent()
                        try await Task.sleep(for: .seconds(1))
                        #expect(access("\(folder)/\(Self.seed)", F_OK) == 0, "the move waits")
                        try await host.startAgent()
                    }
                    #expect(answer.status == 0, "\(answer)")
                    #expect(third.far.qemus(of: "beta").count == 1 && lab.far.qemus(of: "beta") == [])
                    try await lab.desk.done("verify", "\(FaultLab.name)@s2")
                    try await lab.desk.done("down", FaultLab.name)
                    try await lab.desk.done("rm", "\(FaultLab.name)@s2")
                }
                try await Self.expectNothingLeft(lab, third)
            }
        }

        @Test func `what is changed after it came is not believed, and nothing is left`() async throws {
            try await Self.suspended { lab, third in
                let answer = try await Self.moving(lab, third) { folder in
                    // What came before the disk does not come again.
                    let file = open("\(folder)/machines/beta/ram", O_RDWR | O_CLOEXEC)
                    try #require(file >= 0)
                    defer { close(file) }
                    var byte: UInt8 = 0x5a
                    #expect(pwrite(file, &byte, 1, 4096) == 1)
                }
                #expect(answer.status == 6 && Set(answer.codes) == ["checkpoint-corrupt"], "\(answer)")
                #expect(answer.messages.contains("machines/beta/ram"), "\(answer)")
                try await Self.expectNothingLeft(lab, third)
            }
        }

        @Test func `a host that stays away, or a daemon that is killed, leaves nothing`() async throws {
            try await Self.suspended { lab, third in
                let killed = try await Self.moving(lab, third) { _ in try await lab.desk.killDaemon() }
                #expect(killed.status != 0, "\(killed)")
                try await lab.desk.done("ps")
                try await Self.expectNothingLeft(lab, third)
                let away = try await Self.moving(lab, third) { _ in try await lab.killAgent() }
                #expect(away.status == 1 && Set(away.codes) == ["host-unreachable"], "\(away)")
                for word in ["from host \(HostsLab.host) to \(HostsLab.third)", Self.seed, "bytes did"] {
                    #expect(away.messages.contains(word), "\(word): \(away)")
                }
                try await lab.startAgent()
                try await Self.expectNothingLeft(lab, third)
            }
        }

        @Test func `what lies in a folder that both hosts see is copied from there, if it is what was saved`()
            async throws
        {
            try await HostsLab.withThird { lab, third in
                try await lab.desk.done("up", try lab.manifest())
                try await lab.desk.done("suspend", Self.target, "--sealed")
                let checkpoints = "\(lab.far.home.path)/checkpoints"
                let shared = "\(third.far.home.folder)/lab2"
                try FileManager.default.copyItem(atPath: checkpoints, toPath: shared)
                try await third.killAgent()
                try await third.startAgent("--shared", shared)
                // One that has changed since comes from its host.
                let changed = URL(filePath: "\(shared)/\(FaultLab.name)/s1/machines/beta/state.qemu")
                var bytes = [UInt8](try Data(contentsOf: changed))
                bytes[bytes.count - 1] ^= 1
                try Data(bytes).write(to: changed)
                try await lab.desk.done("resume", Self.target, "--host", "beta=\(HostsLab.third)")
                #expect(third.far.qemus(of: "beta").count == 1)
                try await lab.desk.done("verify", "\(FaultLab.name)@s2")
                let log = third.agentLog
                #expect(log.contains("\(changed.path) is not what was saved"), "\(log)")
                #expect(log.contains("took \(shared)/\(FaultLab.name)/s1/machines/beta/ram"), "\(log)")
            }
        }
    }
}
