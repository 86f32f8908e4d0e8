import DatabaseServer
import Glibc
import JSON
import Testing

extension FaultTests {
    /// The state is on a PostgreSQL server, which dies in the middle of an operation.
    @Suite(.enabled(if: DatabaseServer.isAvailable, "no PostgreSQL server is installed (Debian: postgresql)"))
    struct ServerLossTests {
        private static let running = ["alpha": "running", "beta": "running"]

        private func with(_ body: @Sendable (FaultLab, DatabaseServer) async throws -> Void) async throws {
            let server = try DatabaseServer()
            let settings = ["FERMATA_DATABASE": try server.database(), "FERMATA_HOST": "desk"]
            try await CLIHome.with { home in
                try await FaultLab.with(FaultLab.Bed(ram: "file"), in: home, settings: settings) { lab in
                    try await body(lab, server)
                }
            }
        }

        @Test func `it comes back within seconds: a suspend and a resume end as if nothing had been`() async throws {
            try await with { lab, server in
                try await lab.up()
                for round in 1...2 {
                    let processes = Set(lab.qemus())
                    let suspend = try await lab.follow("suspend", "\(FaultLab.name)@s\(round)", "--in", "1500ms") {
                        command in
                        try await command.phase("armed")
                        // In the second round at the instant, more or less.
                        if round == 2 { try await Task.sleep(for: .milliseconds(1450)) }
                        try server.crash()
                        try await FaultLab.wait(for: "the instant") {
                            try await lab.runStates().values.allSatisfy { $0 != "running" }
                        }
                        try await Task.sleep(for: .seconds(1))
                        #expect(Set(lab.qemus()).isSubset(of: processes))
                        try server.start()
                    }
                    #expect(suspend.status == 0, "\(suspend)")
                    #expect(try await lab.state() == "suspended")
                    try await lab.expect([:], "round \(round)")
                    try await lab.expectWhole("s\(round)", "round \(round)")
                    let resume = try await lab.follow("resume", FaultLab.name, "--in", "1500ms") { command in
                        try await command.phase("armed")
                        if round == 2 { try await Task.sleep(for: .milliseconds(1450)) }
                        try server.crash()
                        try await FaultLab.wait(for: "the instant") { try await lab.runStates() == Self.running }
                        try server.start()
                    }
                    #expect(resume.status == 0, "\(resume)")
                    try await FaultLab.wait(for: "ps") { try await lab.state() == "running" }
                    try await lab.expect(Self.running, "round \(round)")
                }
            }
        }

        @Test func `it stays away: a suspend is undone, and all is settled when it is back, without a new start`()
            async throws
        {
            try await with { lab, server in
                try await lab.up()
                let processes = Set(lab.qemus())
                let suspend = try await lab.follow("suspend", "\(FaultLab.name)@s1", "--in", "1500ms") { command in
                    try await command.phase("armed")
                    try server.crash()
                }
                // It waited for it, and then let the machines go on.
                #expect(suspend.status == 1 && suspend.codes.contains("database-failed"), "\(suspend)")
                #expect(try await lab.runStates() == Self.running && Set(lab.qemus()) == processes)
                let refused = try await lab.fermata("suspend", FaultLab.name)
                #expect(refused.status == 1 && refused.codes.contains("database-failed"), "\(refused)")
                #expect(try await lab.fermata("doctor").run.output.contains(server.folder))
                let daemon = lab.home.daemon
                try server.start()
                try await FaultLab.wait(for: "the operation to be settled") {
                    let ps = try await lab.fermata("ps")
                    return ps.status == 0
                        && ps.result["simulations"]?.arrayValue?.first?["state"]?.stringValue == "running"
                }
                try await lab.expect(Self.running, "settled")
                #expect(!lab.checkpoints.contains("s1"))
                try await lab.done("suspend", "\(FaultLab.name)@s2")
                try await lab.done("resume", FaultLab.name)
                try await lab.expect(Self.running, "after it")
                #expect(lab.home.daemon == daemon)
            }
        }

        @Test func `the daemon dies with it: the next one settles what it left`() async throws {
            try await with { lab, server in
                try await lab.up()
                let suspend = try await lab.follow("suspend", "\(FaultLab.name)@s1", "--in", "1500ms") { command in
                    try await command.phase("armed")
                    try server.crash()
                    try await FaultLab.wait(for: "the instant") {
                        try await lab.runStates().values.allSatisfy { $0 != "running" }
                    }
                    try await lab.killDaemon()
                }
                #expect(suspend.status == 5, "\(suspend)")
                let early = try await lab.fermata("ps")
                #expect(early.status == 1 && early.messages.contains(server.folder), "\(early)")
                try server.start()
                #expect(try await lab.state() == "running")
                try await lab.expect(Self.running, "after a new start")
            }
        }
    }
}
