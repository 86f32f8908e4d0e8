import DatabaseServer
import FoundationEssentials
import JSON
import Testing

/// What `FERMATA_DATABASE` may be, and what a state folder is told that began with another one.
@Suite(.enabled(if: DatabaseServer.isAvailable, "no PostgreSQL server is installed (Debian: postgresql)"))
struct DatabaseChoiceTests {
    private func fermata(_ arguments: String..., in home: CLIHome, database: String?) async throws -> FaultLab.Answer {
        let environment = database.map { ["FERMATA_DATABASE": $0, "FERMATA_HOST": "desk"] } ?? [:]
        return FaultLab.Answer(
            run: try await CLIRun.fermata(arguments + ["--json"], in: home, environment: environment)
        )
    }

    @Test func `one that cannot be used keeps the daemon from starting, and its password is told nowhere`() async throws
    {
        let server = try DatabaseServer()
        try server.lock(with: "right-s3cret")
        let wrong = [
            "mysql://lab:s3cret@db/lab", "postgresql://lab:s3cret@127.0.0.1:1/lab", "postgresql://lab:s3cret@[::1/lab",
            server.url(of: "postgres", user: "locked", password: "wrong-s3cret"),
            server.url(of: "nowhere", user: "locked", password: "right-s3cret"),
        ]
        try await CLIHome.with { home in
            for url in wrong {
                let answer = try await fermata("ps", in: home, database: url)
                #expect(answer.status == 1, "\(url): \(answer)")
                #expect(answer.messages.contains("FERMATA_DATABASE"), "\(answer)")
                #expect(!"\(answer)".contains("s3cret"))
            }
            #expect(!home.log.isEmpty && !home.log.contains("s3cret"))
            #expect(home.daemon == nil)
            // And then one that can.
            let right = try await fermata(
                "doctor",
                in: home,
                database: server.url(of: "postgres", user: "locked", password: "right-s3cret")
            )
            let findings = right.result["findings"]?.arrayValue ?? []
            let told = findings.first { $0["subject"]?.stringValue == "database" }?["message"]?.stringValue
            #expect(
                told?.contains("postgresql://locked@/postgres?host=\(server.folder), PostgreSQL ") == true,
                "\(right)"
            )
            #expect(!right.run.output.contains("s3cret") && !home.log.contains("s3cret"))
        }
    }

    @Test func `a state folder stays with the database that it began with`() async throws {
        let database = try DatabaseServer.shared.get().database()
        try await CLIHome.with { home in
            #expect(try await fermata("ps", in: home, database: database).status == 0)
            _ = try await fermata("serve", "--stop", in: home, database: nil)
            let other = try await fermata("ps", in: home, database: nil)
            #expect(other.status != 0 && other.messages.contains(database.prefix(while: { $0 != "?" })), "\(other)")
            #expect(try await fermata("ps", in: home, database: database).status == 0)
        }
        try await CLIHome.with { home in
            #expect(try await fermata("ps", in: home, database: nil).status == 0)
            _ = try await fermata("serve", "--stop", in: home, database: nil)
            let other = try await fermata("ps", in: home, database: database)
            #expect(other.status != 0 && other.messages.contains("state.sqlite"), "\(other)")
            #expect(try await fermata("ps", in: home, database: nil).status == 0)
        }
    }
}
