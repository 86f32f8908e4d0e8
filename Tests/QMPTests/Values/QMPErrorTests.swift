import QMP
import Testing
import Time

@Suite struct QMPErrorTests {
    @Test(arguments: [
        QMPError.Code.notQMP(received: "'x'"), .timeout(.seconds(2)), .peerClosed, .connectionLost(errno: 104),
        .protocolViolation("garbage"), .command(class: "GenericError", description: "no"), .notOffered("no oob"),
        .invalidCommand("arguments are an object"), .unexpectedReply("return.x is not a string"), .closed, .cancelled,
        .system(step: "opening", errno: 24),
    ])
    func `every error that a command gets names the command, the place and why`(code: QMPError.Code) {
        let error = QMPError(code, command: "query-status", address: .unix("/m"), detail: "more")
        let text = "\(error)"
        #expect(text.hasPrefix("unix:/m: "))
        if case .notQMP = code {} else { #expect(text.contains("'query-status'")) }
        #expect(text.hasSuffix("(more)"))
        #expect(!"\(QMPError(code))".contains("nil"))
    }

    @Test func `the kinds that end a connection say so`() {
        #expect(QMPError(.peerClosed).endsConnection)
        #expect(QMPError(.connectFailed(errno: 2)).endsConnection)
        #expect(!QMPError(.timeout(.zero)).endsConnection)
        #expect(QMPError(.command(class: "CommandNotFound", description: "")).isCommandNotFound)
        #expect(!QMPError(.command(class: "GenericError", description: "")).isCommandNotFound)
    }
}
