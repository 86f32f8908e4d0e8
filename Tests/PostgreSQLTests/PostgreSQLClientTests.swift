import DatabaseServer
import Testing

@testable import PostgreSQL

@Suite(.enabled(if: DatabaseServer.isAvailable, "no PostgreSQL server is installed (Debian: postgresql)"))
struct PostgreSQLClientTests {
    private func client(_ url: String? = nil) throws -> PostgreSQLClient {
        try PostgreSQLClient(PostgreSQLAddress(url ?? DatabaseServer.shared.get().database()))
    }

    @Test func parametersComeBackAsTheyWere() async throws {
        let texts: [String?] = ["", "'; DROP TABLE x; --", "ü\n\t\\", "{\"a\": \"\\u0000\"}", nil]
        let numbers: [Int64?] = [.min, -1, 0, .max, nil]
        let client = try client()
        let rows = try await client.transaction { session in
            try zip(texts, numbers).map { text, number in
                try session.run(
                    "SELECT $1 AS text, $2 AS number, $3 AS flag, 2 = ANY ($4) AS has",
                    [.text(text), .integer(number), .boolean(number == 0), .integers([1, 2])]
                ).rows[0]
            }
        }
        #expect(try rows.map { try $0.optionalText("text") } == texts)
        #expect(try rows.map { try $0.optionalInteger("number") } == numbers)
        #expect(try rows.map { try $0.boolean("flag") } == [false, false, true, false, false])
        #expect(try rows.allSatisfy { try $0.boolean("has") })
    }

    @Test func whatATextCannotHoldIsRefusedAndNotCutShort() async throws {
        let client = try client()
        let error = await #expect(throws: PostgreSQLError.self) {
            try await client.transaction { try $0.run("SELECT $1", [.text("a\u{0}b")]).affected }
        }
        #expect(error?.kind == .value)
    }

    @Test func aTransactionIsWholeOrNothing() async throws {
        let client = try client()
        _ = try await client.transaction { try $0.run("CREATE TABLE t (n BIGINT PRIMARY KEY)").affected }
        let error = await #expect(throws: PostgreSQLError.self) {
            try await client.transaction { session in
                try session.run("INSERT INTO t VALUES ($1)", [.integer(1)])
                try session.run("INSERT INTO t VALUES ($1)", [.integer(1)])
            }
        }
        #expect(error?.kind == .statement("23505"), "\(String(describing: error))")
        #expect(error?.isConnectionLoss == false)
        let count = try await client.transaction { try $0.run("SELECT count(*) AS n FROM t").rows[0].integer("n") }
        #expect(count == 0)
    }

    @Test func transactionsHaveTheirTurnInTheOrderOfAsking() async throws {
        let client = try client()
        _ = try await client.transaction { try $0.run("CREATE TABLE t (id BIGSERIAL, n BIGINT)").affected }
        for number in Int64(0)..<20 {
            client.enqueue {
                try $0.run("INSERT INTO t (n) VALUES ($1)", [.integer(number)])
            } ended: { _ in
            }
        }
        let numbers = try await client.transaction { session in
            try session.run("SELECT n FROM t ORDER BY id").rows.map { try $0.integer("n") }
        }
        #expect(numbers == Array(0..<20))
    }

    @Test func aServerThatWasStartedAnewIsNotNoticed() async throws {
        let server = try DatabaseServer()
        let client = try client(server.database())
        _ = try await client.transaction { try $0.run("CREATE TABLE t (n BIGINT)").affected }
        try server.crash()
        try server.start()
        let count = try await client.transaction { try $0.run("SELECT count(*) AS n FROM t").rows[0].integer("n") }
        #expect(count == 0)
    }

    @Test func aServerThatIsDownIsToldInASentenceAndComesBack() async throws {
        let server = try DatabaseServer()
        let client = try client(server.database())
        _ = try await client.transaction { try $0.run("CREATE TABLE t (n BIGINT)").affected }
        try server.crash()
        for _ in 0..<3 {
            let error = await #expect(throws: PostgreSQLError.self) {
                try await client.transaction { try $0.run("INSERT INTO t VALUES (1)").affected }
            }
            #expect(error?.isConnectionLoss == true)
            #expect(error?.message.contains(server.folder) == true, "\(String(describing: error))")
        }
        try server.start()
        // Within the longest pause between two attempts.
        var written = false
        for _ in 0..<200 where !written {
            written = (try? await client.transaction { try $0.run("INSERT INTO t VALUES (1)").affected }) == 1
            if !written { try await Task.sleep(for: .milliseconds(50)) }
        }
        #expect(written)
    }

    @Test func aServerThatDiesInTheMiddleLeavesNothingOfATransaction() async throws {
        let server = try DatabaseServer()
        let client = try client(server.database())
        _ = try await client.transaction { try $0.run("CREATE TABLE t (n BIGINT)").affected }
        let error = await #expect(throws: PostgreSQLError.self) {
            try await client.transaction { session in
                try session.run("INSERT INTO t VALUES (1)")
                try? server.crash()
                try session.run("INSERT INTO t VALUES (2)")
            }
        }
        #expect(error?.isConnectionLoss == true, "\(String(describing: error))")
        try server.start()
        try await Task.sleep(for: .seconds(1))
        let count = try await client.transaction { try $0.run("SELECT count(*) AS n FROM t").rows[0].integer("n") }
        #expect(count == 0)
    }

    @Test func aStatementThatTakesTooLongEndsTheConnectionNotTheClient() async throws {
        var limits = PostgreSQLClient.Limits()
        limits.transaction = .milliseconds(300)
        let address = try PostgreSQLAddress(DatabaseServer.shared.get().database())
        let client = try PostgreSQLClient(address, limits: limits)
        let error = await #expect(throws: PostgreSQLError.self) {
            try await client.transaction { try $0.run("SELECT pg_sleep(20)").affected }
        }
        #expect(error?.kind == .lost(inDoubt: false))
        let one = try await client.transaction { try $0.run("SELECT 1 AS n").rows[0].integer("n") }
        #expect(one == 1)
    }

    @Test func aPasswordIsInNoMessage() async throws {
        let server = try DatabaseServer()
        try server.lock(with: "right-secret")
        let wrong = try PostgreSQLAddress(server.url(of: "postgres", user: "locked", password: "wrong-secret"))
        #expect(wrong.description == "postgresql://locked@/postgres?host=\(server.folder)")
        let client = try PostgreSQLClient(wrong)
        let error = await #expect(throws: PostgreSQLError.self) {
            try await client.transaction { try $0.run("SELECT 1").affected }
        }
        #expect(error?.kind == .unreachable)
        #expect(error?.message.contains("password authentication failed") == true, "\(String(describing: error))")
        #expect(error?.message.contains("wrong-secret") == false)
        let right = try self.client(server.url(of: "postgres", user: "locked", password: "right-secret"))
        #expect(try await right.transaction { try $0.run("SELECT 1 AS n").rows[0].integer("n") } == 1)
    }

    @Test(arguments: [
        "postgresql://u:s3cret@h/%zz", "postgresql://u:s3cret@[::1/x", "mysql://u:s3cret@h/x", "u:s3cret", "",
        "postgresql://h/x?password=s3cret&nothing=1",
    ])
    func anAddressThatIsNoneIsRefusedWithoutItsPassword(_ url: String) {
        let error = #expect(throws: PostgreSQLError.self) { try PostgreSQLAddress(url) }
        #expect(error?.kind == .addressInvalid)
        #expect(error?.message.contains("s3cret") == false)
        #expect(error?.message.contains("postgresql://USER:PASSWORD@HOST:PORT/DATABASE") == true)
    }

    @Test func aLibraryThatIsNotThereIsToldWithWhatToInstall() {
        let error = #expect(throws: PostgreSQLError.self) { try LibPQ(path: "libpq.so.4711") }
        #expect(error?.kind == .libraryMissing)
        #expect(error?.message.contains("libpq5") == true)
    }
}
