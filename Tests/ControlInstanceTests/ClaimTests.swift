import DatabaseServer
import HypervisorAPI
import PostgreSQL
import Testing
import Time

@testable import ControlInstance

/// Several control instances with one database: who may write what.
@Suite(.enabled(if: DatabaseServer.isAvailable, "no PostgreSQL server is installed (Debian: postgresql)"))
struct ClaimTests {
    private let place: StorePlace

    init() throws { place = StorePlace(kind: .postgresql, address: try DatabaseServer.shared.get().database()) }

    private func open(_ name: String, lease: Span = PostgreSQLStore.lease) async throws -> PostgreSQLStore {
        try #require(try await place.open(name, lease: lease) as? PostgreSQLStore)
    }

    /// Tries until it succeeds.
    private func takeOver(_ simulation: String, by store: PostgreSQLStore) async throws(StoreError) {
        for _ in 0..<500 {
            do throws(StoreError) {
                return try await store.claim(simulation)
            } catch {
                guard case .driven = error.kind else { throw error }
            }
            try? await Task.sleep(for: .milliseconds(20))
        }
        throw StoreError("it was never taken over")
    }

    @Test func oneHasItAndTheOtherIsToldWho() async throws {
        let (desk, bench) = (try await open("desk"), try await open("bench"))
        try await desk.claim("sim")
        let error = await #expect(throws: StoreError.self) { try await bench.claim("sim") }
        #expect(error?.kind == .driven(by: "desk"))
        #expect(error?.message.contains("/homes/desk") == true)
        try await bench.claim("other")
        // Nor is anything written beside it.
        let write = await #expect(throws: StoreError.self) {
            try await bench.apply(StoreChange(simulation: StoreTests.simulation))
        }
        #expect(write?.kind == .driven(by: "desk"))
        try await desk.apply(StoreChange(simulation: StoreTests.simulation))
        // To read it nobody has to have it.
        #expect(try await bench.simulations() == [StoreTests.simulation])
        #expect(
            try await bench.peers() == [Peer(name: "desk", home: "/homes/desk", isLive: true, simulations: ["sim"])]
        )
        desk.release("sim")
        try await takeOver("sim", by: bench)
        await #expect(throws: StoreError.self) { try await desk.claim("sim") }
        await bench.close()
        try await desk.claim("sim")
        await desk.close()
    }

    @Test func ofManyWhoWantItAtOnceOneGetsIt() async throws {
        var stores: [PostgreSQLStore] = []
        for number in 0..<6 { stores.append(try await open("host\(number)")) }
        for round in 0..<10 {
            let winners = await withTaskGroup(of: Int.self) { group in
                for store in stores {
                    group.addTask { (try? await store.claim("sim\(round)")) == nil ? 0 : 1 }
                }
                return await group.reduce(0, +)
            }
            #expect(winners == 1)
        }
        for store in stores { await store.close() }
    }

    @Test func whoWasNotHeardOfIsTakenOverAndCanWriteNoMore() async throws {
        let (desk, bench) = (try await open("desk", lease: .milliseconds(400)), try await open("bench"))
        try await desk.claim("sim")
        try await desk.apply(StoreChange(operation: StoreTests.operation("op")))
        desk.stopPulse()
        try await takeOver("sim", by: bench)
        var late = StoreTests.operation("op")
        try late.state.finish(.failed)
        let error = await #expect(throws: StoreError.self) {
            try await desk.apply(StoreChange(simulation: StoreTests.simulation, operation: late))
        }
        #expect(error?.kind == .fenced)
        #expect(try await bench.unfinishedOperations().map(\.id.text) == ["op"])
        #expect(try await bench.simulations().isEmpty)
        // What the other has, this one cannot give back.
        desk.release("sim")
        try await bench.apply(StoreChange(operation: late))
        #expect(try await bench.unfinishedOperations().isEmpty)
        await desk.close()
        await bench.close()
    }

    @Test func whoIsHeardOfKeepsIt() async throws {
        let lease = Span.seconds(2)
        let (desk, bench) = (try await open("desk", lease: lease), try await open("bench"))
        desk.stopPulse()
        try await desk.claim("sim")
        // Longer than a lease.
        let end = ContinuousClock.now + .seconds(5)
        var refusals = 0
        while ContinuousClock.now < end {
            let start = ContinuousClock.now
            await desk.renewLease()
            do throws(StoreError) {
                try await bench.claim("sim")
                // Only a machine that was too busy to renew it in time may come to this.
                #expect(ContinuousClock.now - start >= lease.duration)
                bench.release("sim")
                try await takeOver("sim", by: desk)
            } catch {
                #expect(error.kind == .driven(by: "desk"))
                refusals += 1
            }
            try await Task.sleep(for: .milliseconds(100))
        }
        #expect(refusals > 0)
        try await desk.apply(StoreChange(simulation: StoreTests.simulation))
        await desk.close()
        await bench.close()
    }

    @Test func aServerThatWasDownCouldHearOfNobody() async throws {
        let server = try DatabaseServer()
        let place = StorePlace(kind: .postgresql, address: try server.database())
        let desk = try await place.open("desk", lease: .seconds(4))
        let bench = try await place.open("bench")
        try await desk.claim("sim")
        try server.crash()
        try await Task.sleep(for: .seconds(5))
        try server.start()
        var answer: StoreError?
        for _ in 0..<200 {
            do throws(StoreError) {
                try await bench.claim("sim")
                break
            } catch {
                answer = error
                guard error.kind == .unreachable else { break }
            }
            try await Task.sleep(for: .milliseconds(20))
        }
        #expect(answer?.kind == .driven(by: "desk"))
        await desk.close()
        await bench.close()
    }

    @Test func whatADeadProcessHadIsFreeForItsSuccessorAtOnce() async throws {
        var first: PostgreSQLStore? = try await open("desk", lease: .seconds(600))
        try await first?.claim("sim")
        // Its connections are gone with it; nobody said good-bye.
        first?.stopPulse()
        first = nil
        let second = try await open("desk", lease: .seconds(600))
        let bench = try await open("bench")
        #expect(try await bench.peers().map(\.simulations) == [[]])
        try await bench.claim("sim")
        await second.close()
        await bench.close()
    }

    @Test func aCopiedStateFolderIsRefused() async throws {
        let first = try await place.open("desk", id: "same", lease: .seconds(60))
        let error = await #expect(throws: StoreError.self) {
            try await place.open("bench", id: "same", lease: .milliseconds(300))
        }
        #expect(error?.message.contains("state folder that was copied") == true, "\(String(describing: error))")
        await first.close()
    }

    @Test func twoOfOneNameAreRefused() async throws {
        let first = try await place.open("desk", id: "one")
        let error = await #expect(throws: StoreError.self) { try await place.open("desk", id: "two") }
        #expect(error?.message.contains("FERMATA_HOST") == true)
        await first.close()
        let second = try await place.open("desk", id: "two")
        await second.close()
    }

    @Test func aDatabaseOfANewerReleaseIsRefusedByName() async throws {
        await (try await open("desk")).close()
        let client = try PostgreSQLClient(PostgreSQLAddress(place.address))
        _ = try await client.transaction {
            try $0.run("INSERT INTO fermata_schema (version, name) VALUES (999, 'future')").affected
        }
        let error = await #expect(throws: StoreError.self) { try await open("desk") }
        #expect(error?.message.contains("newer release") == true)
        #expect(error?.message.contains("999: future") == true)
    }

    @Test func thoseWhoStartAtOnceMakeItsTablesOnce() async throws {
        let stores = try await withThrowingTaskGroup(of: PostgreSQLStore.self) { group in
            for number in 0..<4 { group.addTask { try await open("host\(number)") } }
            return try await group.reduce(into: []) { $0.append($1) }
        }
        #expect(try await stores.first?.peers().count == 3)
        for store in stores { await store.close() }
    }

    @Test func wordsThatMeanNothingAreAnErrorNotACrash() async throws {
        let store = try await open("desk")
        try await store.apply(
            StoreChange(simulation: StoreTests.simulation, operation: StoreTests.operation("op"))
        )
        let client = try PostgreSQLClient(PostgreSQLAddress(place.address))
        _ = try await client.transaction { session in
            try session.run("UPDATE simulations SET state = 'dreaming'")
            try session.run("UPDATE operations SET report = '{', hosts = 'x'")
        }
        await #expect(throws: StoreError.self) { try await store.simulations() }
        await #expect(throws: StoreError.self) { try await store.operation(OperationID(text: "op")) }
        await store.close()
    }

    @Test func itsHealthIsTold() async throws {
        let server = try DatabaseServer()
        let store = try await StorePlace(kind: .postgresql, address: server.database()).open()
        let health = try #require(await store.health())
        #expect(health.problem == nil && health.version.hasPrefix("PostgreSQL ") && health.latency != nil)
        #expect(health.place.contains(server.folder))
        try server.crash()
        #expect(await store.health()?.problem?.contains(server.folder) == true)
        await store.close()
    }
}
