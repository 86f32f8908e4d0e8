import GuestClock
import HostClock
import HypervisorAPI
import PKI
import Synchronization
import Testing
import Time

@testable import HypervisorRemote

/// Every call crosses the wire as it is, but for folders and times.
struct WireTests {
    private let simulation = SimulationSpec(
        name: "lab",
        machines: [MachineSpec(name: "bmc", qemu: "/usr/bin/qemu-system-arm", machineType: "ast2500-evb", host: "far")]
    )
    private let id = OperationID(text: "20261126T100000-abc")

    private func save(_ instant: HostInstant?) -> SaveOrder {
        SaveOrder(
            operation: id,
            simulation: "lab",
            machines: ["bmc"],
            instant: instant,
            folder: "/home/control/checkpoints/lab/first.partial",
            finalFolder: "/home/control/checkpoints/lab/first"
        )
    }

    private var resume: ResumeOrder {
        ResumeOrder(
            operation: id,
            simulation: simulation,
            machines: [],
            links: [],
            instant: nil,
            folder: "/home/control/checkpoints/lab/first",
            policy: .continue,
            scope: .rtc
        )
    }

    private var stored: StoredCheckpoint {
        StoredCheckpoint(folder: "/home/control/checkpoints/lab/first", machines: [], links: [])
    }

    @Test func questionsAndAnswersComeThroughAsTheyAre() async throws {
        try await withRemote { remote, far in
            #expect(remote.host == "far")
            #expect(try await remote.describe() == EchoHypervisor.description)
            #expect(try await remote.machines(of: nil) == [])
            #expect(try await remote.machines(of: "lab") == [])
            let undecided = try await far.undecided()
            #expect(try await remote.undecided() == undecided)
            #expect(try await remote.readClocks(of: "lab", pausing: true) == [])
            try await remote.end("lab")
            #expect(
                try await remote.leftovers(besides: ["a", "b"], removing: false) == [Leftover(path: "/x", bytes: .max)]
            )
            #expect(
                try await remote.obstacles(to: resume) == [Reason(code: "no-space", machine: "bmc", message: "full")]
            )
            #expect(try await remote.verify(stored).map(\.code) == ["checkpoint-corrupt"])
            #expect(try await remote.lost(stored) == [])
            #expect(try await remote.seal(stored) == [])
            let edit = ClockEditOrder(
                source: stored,
                folder: "/home/control/checkpoints/lab/second.partial",
                policy: .offset(.seconds(90)),
                scope: .all
            )
            #expect(try await remote.editClocks(edit) == [])
            try await remote.moveCheckpoint(folder: edit.folder, to: "/home/control/checkpoints/lab/second")
            try await remote.removeCheckpoint(folder: stored.folder)
            let first = "/var/lib/agent/checkpoints/lab/first"
            let second = "/var/lib/agent/checkpoints/lab/second"
            #expect(
                far.calls == [
                    "describe", "machines of all", "machines lab", "undecided", "undecided", "clocks lab true",
                    "end lab",
                    "leftovers [\"a\", \"b\"] false", "obstacles \(first)", "verify \(first)", "lost \(first)",
                    "seal \(first)",
                    "edit-clocks \(first) \(second).partial", "move \(second).partial \(second)", "remove \(first)",
                ]
            )
        }
    }

    @Test func filesComeAPieceAtATime() async throws {
        try await withRemote { remote, far in
            let scratch = "/home/control/exports/20261127"
            let alone = try await remote.makeStandalone(
                DepartureOrder(checkpoint: stored, scratch: scratch, gathers: true)
            )
            #expect(
                alone.sources == [
                    "a": FilePlace(folder: stored.folder, path: "machines/bmc/ram"),
                    "b": FilePlace(folder: scratch, path: "machines/bmc/launch/0-kernel"),
                ]
            )
            let file = try #require(alone.sources["a"])
            let first = try await remote.read(file, from: 7)
            #expect(first.offset == 12 && first.bytes == [UInt8](repeating: 7, count: FilePiece.mostBytes))
            let last = try await remote.read(file, from: first.size - 1)
            #expect(last == FilePiece(offset: first.size, bytes: [], size: UInt64(4 * FilePiece.mostBytes)))
            try await remote.removeCheckpoint(folder: scratch)
            let (there, made) = ("/var/lib/agent/checkpoints/lab/first", "/var/lib/agent/exports/20261127")
            #expect(
                far.calls == [
                    "standalone \(there) \(made) true", "read \(there)/machines/bmc/ram 7",
                    "read \(there)/machines/bmc/ram \(first.size - 1)", "remove \(made)",
                ]
            )
            far.failure.withLock { $0 = HypervisorError(code: "checkpoint-corrupt", message: "it is missing") }
            let error = await #expect(throws: HypervisorError.self) { try await remote.read(file, from: 0) }
            #expect(error?.reasons.map(\.code) == ["checkpoint-corrupt"])
        }
    }

    @Test func filesGoAPieceAtATime() async throws {
        try await withRemote(policy: AgentPolicy(binaries: ["/usr/bin/", "/opt/qemu/"])) { remote, far in
            let arriving = "/home/control/checkpoints/lab/first.partial.arriving"
            let place = FilePlace(folder: arriving, path: "machines/bmc/ram")
            let size = UInt64(4 * FilePiece.mostBytes)
            let whole = [UInt8](repeating: 7, count: FilePiece.mostBytes)
            for piece in [
                FilePiece(offset: 5, bytes: whole, size: size), FilePiece(offset: size, bytes: [], size: size),
                FilePiece(offset: 0, bytes: [], size: 0),
            ] { try await remote.write(piece, to: place) }
            let order = ArrivalOrder(
                checkpoint: StoredCheckpoint(folder: arriving, machines: [], links: []),
                simulation: simulation,
                finalFolder: "/home/control/checkpoints/lab/first",
                binaries: [],
                limits: ArrivalLimits(binaries: ["/"], looksAround: true)
            )
            let arrival = try await remote.fit(order)
            #expect(arrival.simulation == simulation && arrival.obstacles.count == 1 && arrival.notes == ["other"])
            try await remote.removeCheckpoint(folder: arriving)
            let there = "/var/lib/agent/checkpoints/lab/first"
            let file = "\(there).partial.arriving/machines/bmc/ram"
            #expect(
                far.calls == [
                    "write \(file) 5 \(FilePiece.mostBytes) \(size)", "write \(file) \(size) 0 \(size)",
                    "write \(file) 0 0 0",
                    "fit \(there).partial.arriving \(there) [\"/usr/bin/\", \"/opt/qemu/\"]",
                    "remove \(there).partial.arriving",
                ],
                "its owner's limits count, not those that it was sent"
            )
            far.failure.withLock { $0 = HypervisorError(code: "no-space", message: "full") }
            let error = await #expect(throws: HypervisorError.self) {
                try await remote.write(FilePiece(offset: 0, bytes: [1], size: 1), to: place)
            }
            #expect(error?.reasons.map(\.code) == ["no-space"])
        }
    }

    /// The one folder that is written from elsewhere is nobody's checkpoint.
    @Test(arguments: [
        "checkpoints/lab/first/machines/bmc/ram", "checkpoints/lab/first.partial/machines/bmc/ram",
        "checkpoints/lab/first.partial.arriving", "checkpoints/lab/first.partial.arriving/",
        "checkpoints/lab/first.partial.arriving/../first/ram", "exports/1/ram", "trust/key.pem",
        "checkpoints/lab/first.partial.arriving/%2e%2e/ram", "machines/lab/bmc/ram",
    ])
    func noOtherFileIsWritten(_ path: String) async throws {
        let authority = try TestAuthority()
        let far = EchoHypervisor()
        let ours = try authority.trust(.control, "desk")
        try await withAgent(far, trust: try authority.trust(.hypervisor, "far")) { port in
            let client = AgentClient(host: "far") { ours }
            let connection = HypervisorConnection(host: "far", base: "https://127.0.0.1:\(port)", agent: client)
            let piece = FilePiece(offset: 0, bytes: [1], size: 1)
            let error = await #expect(throws: HypervisorError.self) { try await connection.put(piece, to: path) }
            await client.close()
            #expect(error?.reasons.map(\.code) == ["folder-outside"], "\(String(describing: error))")
            #expect(far.calls.isEmpty)
        }
    }

    @Test func whatIsNoPieceIsNotWritten() async throws {
        let authority = try TestAuthority()
        let far = EchoHypervisor()
        let ours = try authority.trust(.control, "desk")
        try await withAgent(far, trust: try authority.trust(.hypervisor, "far")) { port in
            let client = AgentClient(host: "far") { ours }
            let connection = HypervisorConnection(host: "far", base: "https://127.0.0.1:\(port)", agent: client)
            for piece in [
                FilePiece(offset: 5, bytes: [1], size: 5),
                FilePiece(offset: 0, bytes: [UInt8](repeating: 1, count: FilePiece.mostBytes + 1), size: 1 << 40),
            ] {
                let error = await #expect(throws: HypervisorError.self) {
                    try await connection.put(piece, to: "checkpoints/lab/first.partial.arriving/machines/bmc/ram")
                }
                #expect(error?.reasons.map(\.code) == ["message-invalid"], "\(String(describing: error))")
            }
            await client.close()
            #expect(far.calls.isEmpty)
        }
    }

    @Test(arguments: [
        "checkpoints/lab/../../etc/passwd", "checkpoints/lab/first", "checkpoints/lab/first/", "exports/1",
        "etc/passwd",
        "checkpoints/lab/first/machines//ram", "checkpoints/lab/first/%2e%2e/ram", "trust/key.pem",
        "exports/../trust/key.pem",
    ])
    func noOtherFileIsRead(_ path: String) async throws {
        let authority = try TestAuthority()
        let far = EchoHypervisor()
        let ours = try authority.trust(.control, "desk")
        try await withAgent(far, trust: try authority.trust(.hypervisor, "far")) { port in
            let client = AgentClient(host: "far") { ours }
            let connection = HypervisorConnection(host: "far", base: "https://127.0.0.1:\(port)", agent: client)
            let error = await #expect(throws: HypervisorError.self) { try await connection.piece(path, from: 0) }
            await client.close()
            #expect(error?.reasons.map(\.code) == ["folder-outside"], "\(String(describing: error))")
            #expect(far.calls.isEmpty)
        }
    }

    @Test func anOperationGoesItsWay() async throws {
        try await withRemote { remote, far in
            let instant = HostInstant.now + .seconds(30)
            guard case .ready(let handle) = await remote.prepare(.suspend(save(instant))) else {
                Issue.record("it was refused")
                return
            }
            #expect(handle.instant == instant && handle.operation == id && handle.machines == ["bmc"])
            var other = handle
            other.expires = handle.expires + .seconds(1)
            await #expect(throws: HypervisorError.self) { try await remote.execute(other, at: instant) }
            try await remote.execute(handle, at: instant)
            var stages: [Stage] = []
            for await stage in await remote.stages(of: id) { stages.append(stage) }
            #expect(stages.map(\.name) == (0..<100).map { "save\($0)" })
            let report = try await remote.report(of: id)
            #expect(report.outcome == .failed([Reason(code: "no-space", message: "full")]))
            #expect(report.machines.map(\.lateness) == [.microseconds(-3)])
            // The clock of one and the same host is not far from itself.
            let happened = try #require(report.machines[0].happenedAt)
            #expect(abs((HostInstant.now - happened).nanoseconds) < 1_000_000_000)
            let bound = try #require(report.clockErrorBound)
            #expect(bound > .zero && bound < .seconds(5))
            try await remote.rollback(id, continueAt: instant)
            try await remote.commit(id)

            let calls = far.calls
            let folder = "/var/lib/agent/checkpoints/lab/first"
            #expect(
                calls.map { $0.split(separator: " ")[0] } == [
                    "prepare", "execute", "stages", "report", "rollback", "commit",
                ]
            )
            #expect(calls[0].hasSuffix("\(folder).partial \(folder)"))
            // What it was told are the same instants, by its own clock.
            let told = try calls[1].split(separator: " ").suffix(1).map { try #require(Int64($0)) }
            #expect(abs(told[0] - instant.nanosecondsSinceEpoch) < 1_000_000_000)
            #expect(calls[0].contains(" \(told[0]) "))
        }
    }

    @Test func everyReasonOfARefusalComesThrough() async throws {
        try await withRemote { remote, far in
            let reasons = [
                Reason(code: "busy", message: "ä \"b\""), Reason(code: "no-space", machine: "bmc", message: "full"),
            ]
            far.failure.withLock { $0 = HypervisorError(reasons) }
            #expect(await remote.prepare(.resume(resume)) == .refused(reasons))
            let errors = [
                await #expect(throws: HypervisorError.self) { try await remote.machines(of: nil) },
                await #expect(throws: HypervisorError.self) { try await remote.commit(id) },
                await #expect(throws: HypervisorError.self) { try await remote.seal(stored) },
                await #expect(throws: HypervisorError.self) { try await remote.report(of: id) },
            ]
            #expect(errors.allSatisfy { $0?.reasons == reasons })
        }
    }

    @Test func aFolderElsewhereIsRefusedByBothSides() async throws {
        try await withRemote { remote, far in
            var order = save(nil)
            order.folder = "/etc"
            guard case .refused(let reasons) = await remote.prepare(.suspend(order)) else {
                Issue.record("it was taken")
                return
            }
            #expect(reasons.map(\.code) == ["folder-outside"])
            await #expect(throws: HypervisorError.self) {
                try await remote.removeCheckpoint(folder: "/home/control/checkpoints")
            }
            #expect(far.calls.isEmpty)
        }
    }

    @Test func whatTheAgentForbidsReachesNoHypervisor() async throws {
        try await withRemote(policy: AgentPolicy(binaries: ["/opt/qemu/"])) { remote, far in
            let order = Order.start(StartOrder(operation: id, simulation: simulation, instant: nil))
            guard case .refused(let reasons) = await remote.prepare(order) else {
                Issue.record("it was taken")
                return
            }
            #expect(reasons.map(\.code) == ["agent-forbids"])
            let adopt = AdoptOrder(simulation: "lab", machine: "bmc", monitor: "unix:/run/qmp")
            let error = await #expect(throws: HypervisorError.self) { try await remote.adopt(adopt) }
            #expect(error?.reasons.map(\.code) == ["agent-forbids"])
            #expect(far.calls.isEmpty)
        }
    }

    @Test func aHostWhoseClockIsKnownTooBadlyTakesNoPart() async throws {
        let authority = try TestAuthority()
        let far = EchoHypervisor()
        let ours = try authority.trust(.control, "desk")
        try await withAgent(far, trust: try authority.trust(.hypervisor, "far")) { port in
            let remote = RemoteHypervisor(
                host: "far",
                address: "127.0.0.1:\(port)",
                trust: { ours },
                home: "/home/control",
                clockErrorLimit: Span(nanoseconds: 1)
            )
            // What has no instant is prepared while the time is measured, and given back.
            let answers = [
                await remote.prepare(.suspend(save(.now + .seconds(60)))), await remote.prepare(.suspend(save(nil))),
            ]
            #expect(far.calls.map { $0.prefix { $0 != " " } } == ["prepare", "cancel"])
            var lenient = save(nil)
            lenient.clockErrorLimit = .seconds(1)
            let other = await remote.prepare(.suspend(lenient))
            await remote.close()
            guard case .ready = other else {
                Issue.record("its own limit was not heard: \(other)")
                return
            }
            for answer in answers {
                guard case .refused(let reasons) = answer else {
                    Issue.record("it was taken")
                    continue
                }
                #expect(reasons.map(\.code) == ["clocks-not-synchronised"])
            }
        }
    }

    @Test func aHostThatIsNotThereIsUnreachable() async throws {
        let authority = try TestAuthority()
        let remote = RemoteHypervisor(
            host: "far",
            address: "127.0.0.1:1",
            trust: { [trust = try authority.trust(.control, "desk")] in trust },
            home: "/home/control"
        )
        let error = await #expect(throws: HypervisorError.self) { try await remote.machines(of: nil) }
        let answer = await remote.prepare(.suspend(save(nil)))
        await remote.close()
        #expect(error?.reasons.map(\.code) == ["host-unreachable"])
        guard case .refused(let reasons) = answer else {
            Issue.record("it was taken")
            return
        }
        #expect(reasons.map(\.code) == ["host-unreachable"])
    }
}
