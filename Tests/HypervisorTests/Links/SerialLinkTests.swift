import Glibc
import HypervisorAPI
import JSON
import QMP
import Testing
import Time

@testable import Hypervisor

/// Two real machines on a serial line, one that sends and one that stands still.
@Suite("A serial link", .serialized)
struct SerialLinkTests {
    private struct Pair {
        var machines: TestMachines
        var link = LinkSpec(name: "line", kind: .serial, ends: [.init(machine: "a"), .init(machine: "b")])

        func start(
            _ names: [String],
            pair: LinkPair,
            incoming: Bool = false,
            suffix: String = ""
        ) async throws -> [(LaunchedMachine, SerialPort)] {
            var started: [(LaunchedMachine, SerialPort)] = []
            for name in names {
                var spec = machines.spec(name)
                spec.serials = [.link("line")]
                let path = machines.scratch.file("qtest-\(name)\(suffix)")
                let listener = try Qtest.listen(path)
                spec.arguments = ["-qtest", "unix:\(path)"]
                var plan = try await machines.plan(spec, links: [link], incoming: incoming)
                plan.folder = machines.scratch.file(name + suffix)
                let machine = try await machines.launch(plan, pairs: [pair])
                started.append((machine, SerialPort(qtest: try Qtest(listener))))
            }
            return started
        }
    }

    /// Different at every position for the first 64000.
    private static func byte(_ index: Int) -> UInt8 { UInt8(truncatingIfNeeded: index &* 7 &+ index / 256) }

    private func save(_ machine: LaunchedMachine, to path: String) async throws {
        let number = open(path, O_RDWR | O_CREAT | O_TRUNC | O_CLOEXEC, 0o600)
        let file = OwnedDescriptor(number)
        try await machine.monitor.execute(
            QMPCommand("getfd", arguments: ["fdname": "state"]),
            descriptors: [file.number]
        )
        try await machine.monitor.execute(QMPCommand("migrate", arguments: ["uri": "fd:state"]))
        try await wait(machine, "query-migrate", for: "completed")
        try await wait(machine, "query-status", for: "postmigrate")
    }

    private func load(_ machine: LaunchedMachine, from path: String) async throws {
        let file = OwnedDescriptor(open(path, O_RDONLY | O_CLOEXEC))
        try await machine.monitor.execute(
            QMPCommand("getfd", arguments: ["fdname": "state"]),
            descriptors: [file.number]
        )
        try await machine.monitor.execute(QMPCommand("migrate-incoming", arguments: ["uri": "fd:state"]))
        // A machine that never ran when it was saved is not `paused` but `prelaunch` again.
        try await wait(machine, "query-migrate", for: "completed")
    }

    private func wait(_ machine: LaunchedMachine, _ command: String, for status: String) async throws {
        let deadline = MonotonicDeadline(after: .seconds(60))
        while true {
            let now = try await machine.monitor.execute(QMPCommand(command))["status"]?.stringValue
            if now == status { return }
            try #require(now != "failed" && !deadline.hasPassed, "\(command): \(now ?? "nothing")")
            try await Task.sleep(for: .milliseconds(5))
        }
    }

    /// Sends until the line is full and stays so.
    private func fill(_ port: SerialPort, from first: Int) async throws -> Int {
        var sent = first
        var idle = 0
        while idle < 40 {
            if try port.send(Self.byte(sent)) {
                sent += 1
                idle = 0
            } else {
                idle += 1
                try await Task.sleep(for: .milliseconds(5))
            }
        }
        return sent
    }

    /// Receives until nothing comes any more.
    private func empty(_ port: SerialPort) async throws -> [UInt8] {
        var received: [UInt8] = []
        var idle = 0
        while idle < 40 {
            if let byte = try port.receive() {
                received.append(byte)
                idle = 0
            } else {
                idle += 1
                try await Task.sleep(for: .milliseconds(5))
            }
        }
        return received
    }

    @Test(
        "what a stopped machine has not read comes after the resume: all of it, once, in order",
        arguments: QEMUUnderTest.all,
        [false, true]
    )
    func savedAndDelivered(_ qemu: QEMUUnderTest, _ receiverFirst: Bool) async throws {
        try await TestMachines.run(qemu) { machines in
            let lab = Pair(machines: machines)
            var sent = 0
            var saved: [LinkTraffic] = []
            var waitingInPort = 0
            do {
                let pair = try LinkPair(lab.link)
                let started = try await lab.start(["a", "b"], pair: pair)
                let (a, portA) = started[0]
                let (b, portB) = started[1]
                try portA.setUp()
                try portB.setUp()
                // The sender's clock must run for its transmitter to; a machine without a guest does nothing else.
                try await a.monitor.cont()
                sent = try await fill(portA, from: 0)
                #expect(sent > 200)
                // The transmitter is full, too: the hardest case, for that byte is in the sender's state.
                #expect(try portA.status & 0x20 == 0)
                try await a.monitor.stop()

                for machine in [a, b] { #expect(await LinkLeftovers.settle(machine.record, timeout: .seconds(10))) }
                for machine in [a, b] {
                    for found in await LinkLeftovers.collect(machine.record) {
                        #expect(found.notes == [])
                        if !found.traffic.isEmpty { saved.append(found.traffic) }
                    }
                }
                #expect(saved.map(\.towards) == ["b"])
                for (machine, name) in [(a, "a"), (b, "b")] {
                    try await save(machine, to: machines.scratch.file("\(name).state"))
                }
                // Nothing has moved while the states were being saved, so they and the leftovers are of one instant.
                #expect(await LinkLeftovers.collect(b.record).map(\.traffic) == saved)
                waitingInPort = sent - saved[0].bytes.count
                #expect(waitingInPort > 0)
            }
            await machines.end()

            let pair = try LinkPair(lab.link)
            try LinkReplay.prime(pair, with: saved)
            let again = try await lab.start(["a", "b"], pair: pair, incoming: true, suffix: "2")
            try await LinkReplay.deliver(pair, saved)
            let order = receiverFirst ? [1, 0] : [0, 1]
            for index in order {
                try await load(again[index].0, from: machines.scratch.file("\(["a", "b"][index]).state"))
            }
            // Loaded and paused for a while: the sender may push what its transmitter holds.
            try await Task.sleep(for: .milliseconds(100))
            for index in order { try await again[index].0.monitor.cont() }
            let received = try await empty(again[1].1)
            #expect(received == (0..<sent).map { Self.byte($0) })
            #expect(waitingInPort < 100)
        }
    }

    @Test("a rollback finds everything in its place", arguments: QEMUUnderTest.all)
    func rolledBack(_ qemu: QEMUUnderTest) async throws {
        try await TestMachines.run(qemu) { machines in
            let lab = Pair(machines: machines)
            let pair = try LinkPair(lab.link)
            let started = try await lab.start(["a", "b"], pair: pair)
            let (a, portA) = started[0]
            let (b, portB) = started[1]
            try portA.setUp()
            try portB.setUp()
            try await a.monitor.cont()
            let sent = try await fill(portA, from: 0)
            try await a.monitor.stop()
            #expect(await LinkLeftovers.settle(b.record, timeout: .seconds(10)))
            #expect(await LinkLeftovers.collect(b.record).first?.traffic.isEmpty == false)
            for (machine, name) in [(a, "a"), (b, "b")] {
                try await save(machine, to: machines.scratch.file("\(name).state"))
            }
            for machine in [b, a] { try await machine.monitor.cont() }
            #expect(try await empty(portB) == (0..<sent).map { Self.byte($0) })
        }
    }

    @Test("an idle line has nothing to save, and a process that has ended says so", arguments: QEMUUnderTest.all)
    func idle(_ qemu: QEMUUnderTest) async throws {
        try await TestMachines.run(qemu) { machines in
            let lab = Pair(machines: machines)
            let pair = try LinkPair(lab.link)
            let (a, _) = try await lab.start(["a"], pair: pair)[0]
            #expect(await LinkLeftovers.collect(a.record).map(\.traffic.isEmpty) == [true])
            try await a.record.identity.terminate()
            let after = await LinkLeftovers.collect(a.record)
            #expect(after.first?.notes.first?.contains("has ended") == true)
        }
    }
}
