import JSON
import Testing
import Time

@testable import QMP

@Suite struct QMPSessionTests {
    private let greeting: JSONValue = [
        "QMP": [
            "version": ["qemu": ["major": 7, "minor": 2, "micro": 22], "package": "Debian"], "capabilities": ["oob"],
        ]
    ]

    private func ready() -> QMPSession {
        var session = QMPSession()
        _ = session.receive(greeting)
        _ = session.receive(["return": [:], "id": 0])
        return session
    }

    @Test func `a greeting leads to qmp_capabilities with what is offered, and its answer to ready`() {
        var session = QMPSession()
        let expected = QMPCommand("qmp_capabilities", arguments: ["enable": ["oob"]])
        #expect(session.receive(greeting) == .negotiate(expected, id: 0))
        #expect(session.greeting?.version == .init(major: 7, minor: 2, micro: 22))
        #expect(session.greeting?.package == "Debian")
        #expect(session.phase == .negotiating(id: 0))
        #expect(session.receive(["return": [:], "id": 0]) == .ready)
        #expect(session.phase == .ready)
    }

    @Test func `without oob in the greeting nothing is enabled`() {
        var session = QMPSession()
        let plain: JSONValue = [
            "QMP": ["version": ["qemu": ["major": 2, "minor": 0, "micro": 0]], "capabilities": []]
        ]
        #expect(session.receive(plain) == .negotiate(QMPCommand("qmp_capabilities"), id: 0))
    }

    @Test(
        arguments: [
            ["event": "STOP", "timestamp": ["seconds": 1, "microseconds": 0]], ["QMP": [:]], [:], 220, "hello", [],
            ["QMP": ["version": ["qemu": ["major": "7"]]]],
        ] as [JSONValue]
    )
    func `anything but a greeting at first is no QMP`(message: JSONValue) {
        var session = QMPSession()
        guard case .fail(.notQMP) = session.receive(message) else {
            Issue.record("\(message) was taken for a greeting")
            return
        }
    }

    @Test func `refused capabilities end the connection`() {
        var session = QMPSession()
        _ = session.receive(greeting)
        let answer = session.receive(["error": ["class": "GenericError", "desc": "no"], "id": 0])
        #expect(answer == .fail(.protocolViolation("qmp_capabilities failed: no")))
    }

    @Test func `answers are matched by id, in any order`() {
        var session = ready()
        session.register(1, command: "a")
        session.register(2, command: "b")
        #expect(session.receive(["return": 5, "id": 2]) == .reply(id: 2, command: "b", .value(5)))
        let refusal: JSONValue = ["error": ["class": "CommandNotFound", "desc": "gone"], "id": 1]
        let expected = QMPSession.Answer.refusal(class: "CommandNotFound", description: "gone")
        #expect(session.receive(refusal) == .reply(id: 1, command: "a", expected))
        #expect(session.pending.isEmpty)
    }

    @Test func `the answer to a command that was given up is known and dropped, once`() {
        var session = ready()
        session.register(1, command: "a")
        session.register(2, command: "b")
        session.forget(1, wasSent: true)
        session.forget(2, wasSent: false)
        #expect(session.receive(["return": 5, "id": 1]) == .lateReply(id: 1))
        for id in [1, 2] as [JSONValue] {
            guard case .fail(.protocolViolation) = session.receive(["return": 5, "id": id]) else {
                Issue.record("answer \(id) was accepted")
                return
            }
        }
    }

    @Test(
        arguments: [
            ["return": 1], ["return": 1, "id": 99], ["return": 1, "id": "1"], ["x": 1], [1], 7, ["event": 3],
            ["event": "STOP"], ["error": ["class": "GenericError", "desc": "JSON parse error"]],
        ] as [JSONValue]
    )
    func `messages that are no answer to a command of ours, and no event, break the protocol`(message: JSONValue) {
        var session = ready()
        session.register(1, command: "a")
        guard case .fail(.protocolViolation) = session.receive(message) else {
            Issue.record("\(message) was accepted")
            return
        }
    }

    @Test func `events come with their stamp in nanoseconds; an unreadable clock is no stamp`() {
        var session = ready()
        let stamp: JSONValue = ["seconds": 1_700_000_000, "microseconds": 123_456]
        let event: JSONValue = ["event": "STOP", "timestamp": stamp, "data": ["a": 1]]
        let expected = QMPEvent(
            name: "STOP",
            data: ["a": 1],
            timestamp: .init(nanosecondsSinceEpoch: 1_700_000_000_123_456_000)
        )
        #expect(session.receive(event) == .event(expected))
        for seconds in [-1, .integer(.max)] as [JSONValue] {
            let unread: JSONValue = ["event": "STOP", "timestamp": ["seconds": seconds, "microseconds": -1]]
            #expect(session.receive(unread) == .event(QMPEvent(name: "STOP", timestamp: nil)))
        }
    }
}
