import DatabaseServer
import FoundationEssentials
import Glibc
import JSON
import Testing

extension FaultTests {
    /// Two daemons with state folders of their own, one database, and one agent on whose host all machines are.
    @Suite(.enabled(if: DatabaseServer.isAvailable, "no PostgreSQL server is installed (Debian: postgresql)"))
    struct SharedDatabaseTests {
        private struct Lab: Sendable {
            var desk: FaultLab
            var bench: FaultLab
            var far: FaultLab

            var states: [String: String] { get async throws { try await far.runStates() } }
        }

        private func with(_ body: @Sendable (Lab) async throws -> Void) async throws {
            let server = try DatabaseServer()
            let database = try server.database()
            let bed = FaultLab.Bed(ram: "file")
            try await HostsLab.with(.installed, settings: ["FERMATA_DATABASE": database, "FERMATA_HOST": "desk"]) {
                hosts in
                try await CLIHome.with { home in
                    let settings = ["FERMATA_DATABASE": database, "FERMATA_HOST": "bench"]
                    try await FaultLab.with(bed, in: home, settings: settings) { bench in
                        mkdir(home.path, 0o700)
                        try await hosts.desk.done("pki", "issue", "control", "bench", "--out", "\(home.path)/trust")
                        let lab = Lab(desk: hosts.desk, bench: bench, far: hosts.far)
                        try await lab.desk.done("up", try manifest(lab))
                        try await body(lab)
                    }
                }
            }
        }

        private func manifest(_ lab: Lab) throws -> String {
            let machines = FaultLab.machines.map {
                """
                  \($0): {qemu: \(lab.far.bed.qemu.path), machine: pc, memory: 32M, host: \(HostsLab.host), args: [-qmp, \
                "unix:\(lab.far.probe($0)),server=on,wait=off"]}
                """
            }
            let text = "simulation: \(FaultLab.name)\nmachines:\n\(machines.joined(separator: "\n"))\n"
            return try lab.desk.home.file("shared.yaml", text)
        }

        private static let running = ["alpha": "running", "beta": "running"]

        @Test func `both press suspend at once: one drives, the other is refused by name and can watch`() async throws {
            try await with { lab in
                #expect(try await lab.bench.state() == "running")
                for round in 1...3 {
                    async let first = lab.desk.fermata("suspend", FaultLab.name, "--in", "2s")
                    async let second = lab.bench.fermata("suspend", FaultLab.name, "--in", "2s")
                    let answers = try await [first, second]
                    #expect(answers.map(\.status).sorted() == [0, 3], "round \(round): \(answers)")
                    let winner = answers[0].status == 0 ? "desk" : "bench"
                    let refused = answers[0].status == 0 ? answers[1] : answers[0]
                    #expect(
                        refused.codes.contains("driven-elsewhere") && refused.messages.contains(winner),
                        "\(refused)"
                    )
                    for side in [lab.desk, lab.bench] { #expect(try await side.state() == "suspended") }
                    #expect(lab.far.qemus().isEmpty)
                    // The checkpoint is told of on both sides, and resumed where it is.
                    let (keeper, other) = winner == "desk" ? (lab.desk, lab.bench) : (lab.bench, lab.desk)
                    let elsewhere = try await other.fermata("resume", FaultLab.name)
                    #expect(elsewhere.status == 3 && elsewhere.codes.contains("checkpoint-elsewhere"), "\(elsewhere)")
                    try await keeper.done("resume", FaultLab.name)
                    #expect(try await lab.states == Self.running)
                }
                let doctor = try await lab.desk.fermata("doctor")
                #expect(doctor.run.output.contains("control instance bench"), "\(doctor)")
            }
        }

        @Test func `one dies in the middle: the other takes up what it left`() async throws {
            try await with { lab in
                _ = try await lab.bench.state()
                let processes = Set(lab.far.qemus())
                let suspend = try await lab.desk.follow("suspend", FaultLab.name, "--in", "2s") { command in
                    try await command.phase("armed")
                    try await lab.desk.killDaemon()
                }
                #expect(suspend.status == 5, "\(suspend)")
                let busy = try await lab.bench.fermata("suspend", FaultLab.name)
                #expect(busy.codes.contains("driven-elsewhere") && busy.messages.contains("desk"), "\(busy)")
                try await FaultLab.wait(for: "the other one to settle it") {
                    guard try await lab.bench.state() == "running" else { return false }
                    return try await lab.states == Self.running
                }
                #expect(Set(lab.far.qemus()) == processes)
                // Which knows it, too, when it is back.
                #expect(try await lab.desk.state() == "running")
                #expect(lab.desk.checkpoints == [])
                try await lab.bench.done("suspend", FaultLab.name)
                #expect(try await lab.desk.state() == "suspended")
            }
        }
    }
}
