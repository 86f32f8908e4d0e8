import Glibc
import HypervisorAPI
import JSON
import QMP
import Testing
import Time

@testable import Hypervisor

/// One real machine whose cable's other end is in the test's hands.
@Suite("A network link", .serialized)
struct NetworkLinkTests {
    private static let frames: [[UInt8]] = (0..<20).map { index in
        [UInt8](repeating: 0xff, count: 6) + [0x52, 0x54, 0, 0, 0, 1, 0x88, 0xb5]
            + [UInt8](repeating: UInt8(index), count: 46 + index * 50)
    }

    private func wire(_ kind: LinkSpec.Kind) -> LinkSpec {
        LinkSpec(name: "wire", kind: kind, ends: [.init(machine: "a", device: "e1000"), .init(machine: "b")])
    }

    private func onTheWire(_ frame: [UInt8], _ kind: LinkSpec.Kind) -> [UInt8] {
        kind == .dgram ? frame : [0, 0, UInt8(frame.count >> 8), UInt8(frame.count & 255)] + frame
    }

    private func start(
        _ machines: TestMachines,
        _ pair: LinkPair,
        folder: String,
        incoming: Bool = false
    ) async throws -> (LaunchedMachine, EthernetCard) {
        var spec = machines.spec("a")
        spec.serials = []
        let path = machines.scratch.file("qtest-\(folder)")
        let listener = try Qtest.listen(path)
        spec.arguments = ["-qtest", "unix:\(path)"]
        var plan = try await machines.plan(spec, links: [pair.spec], incoming: incoming)
        plan.folder = machines.scratch.file(folder)
        let machine = try await machines.launch(plan, pairs: [pair])
        return (machine, EthernetCard(qtest: try Qtest(listener)))
    }

    /// The first frame is taken by the stopped machine, the others stay in the cable.
    private func sendToStopped(_ pair: LinkPair, _ kind: LinkSpec.Kind) async throws {
        let frames = Self.frames.map { onTheWire($0, kind) }
        #expect(SocketQueue.write([frames[0]], into: pair.ends[1], datagrams: kind == .dgram))
        let deadline = MonotonicDeadline(after: .seconds(20))
        while SocketQueue.peek(pair.ends[0], datagrams: true) != [], !deadline.hasPassed {
            try await Task.sleep(for: .milliseconds(5))
        }
        #expect(SocketQueue.write(Array(frames.dropFirst()), into: pair.ends[1], datagrams: kind == .dgram))
    }

    private func received(_ card: EthernetCard, atLeast count: Int) async throws -> [[UInt8]] {
        let deadline = MonotonicDeadline(after: .seconds(20))
        while try card.received().count < count, !deadline.hasPassed { try await Task.sleep(for: .milliseconds(10)) }
        try await Task.sleep(for: .milliseconds(100))
        return try card.received()
    }

    private func wait(_ monitor: QMPConnection, _ state: String) async throws {
        let deadline = MonotonicDeadline(after: .seconds(60))
        while try await monitor.execute(QMPCommand("query-status"))["status"]?.stringValue != state {
            try #require(!deadline.hasPassed)
            try await Task.sleep(for: .milliseconds(10))
        }
    }

    @Test("a rollback loses no frame", arguments: QEMUUnderTest.all, [LinkSpec.Kind.dgram, .stream])
    func rolledBack(_ qemu: QEMUUnderTest, _ kind: LinkSpec.Kind) async throws {
        try await TestMachines.run(qemu) { machines in
            let pair = try LinkPair(wire(kind))
            let (machine, card) = try await start(machines, pair, folder: "a")
            try card.setUp()
            try await machine.monitor.cont()
            try await machine.monitor.stop()
            try await sendToStopped(pair, kind)
            let found = await LinkLeftovers.collect(machine.record)
            #expect(found.first?.traffic.isEmpty == false)
            try await machine.monitor.cont()
            #expect(try await received(card, atLeast: 20) == Self.frames)
        }
    }

    @Test(
        "what lay in the cable arrives after the resume; the one frame that the card had taken does not",
        arguments: QEMUUnderTest.all,
        [LinkSpec.Kind.dgram, .stream]
    )
    func savedAndDelivered(_ qemu: QEMUUnderTest, _ kind: LinkSpec.Kind) async throws {
        try await TestMachines.run(qemu) { machines in
            var saved: [LinkTraffic] = []
            do {
                let pair = try LinkPair(wire(kind))
                let (machine, card) = try await start(machines, pair, folder: "a")
                try card.setUp()
                try await machine.monitor.cont()
                try await machine.monitor.stop()
                try await sendToStopped(pair, kind)
                #expect(await LinkLeftovers.settle(machine.record, timeout: .seconds(10)))
                let found = await LinkLeftovers.collect(machine.record)
                #expect(found.flatMap(\.notes) == [])
                saved = found.map(\.traffic)
                let state = OwnedDescriptor(open(machines.scratch.file("state"), O_RDWR | O_CREAT | O_CLOEXEC, 0o600))
                try await machine.monitor.execute(
                    QMPCommand("getfd", arguments: ["fdname": "s"]),
                    descriptors: [state.number]
                )
                try await machine.monitor.execute(QMPCommand("migrate", arguments: ["uri": "fd:s"]))
                try await wait(machine.monitor, "postmigrate")
            }
            await machines.end()
            let pair = try LinkPair(wire(kind))
            try LinkReplay.prime(pair, with: saved)
            let (machine, card) = try await start(machines, pair, folder: "a2", incoming: true)
            try await LinkReplay.deliver(pair, saved)
            let state = OwnedDescriptor(open(machines.scratch.file("state"), O_RDONLY | O_CLOEXEC))
            try await machine.monitor.execute(
                QMPCommand("getfd", arguments: ["fdname": "s"]),
                descriptors: [state.number]
            )
            try await machine.monitor.execute(QMPCommand("migrate-incoming", arguments: ["uri": "fd:s"]))
            try await wait(machine.monitor, "paused")
            try await machine.monitor.cont()
            #expect(try await received(card, atLeast: 19) == Array(Self.frames.dropFirst()))
        }
    }
}
