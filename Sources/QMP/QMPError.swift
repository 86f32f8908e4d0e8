public import Time

/// Why a monitor connection, or one command on it, failed.
public struct QMPError: Error, Hashable, Sendable {
    public enum Code: Hashable, Sendable {
        case invalidAddress(String)
        /// `errno` of the system call that failed while connecting.
        case connectFailed(errno: Int32)
        case hostNotFound(String)
        /// What listens there is no QMP monitor; the beginning of what it sent, printable.
        case notQMP(received: String)
        case timeout(Span)
        case peerClosed
        /// The connection broke: reset, for instance.
        case connectionLost(errno: Int32)
        /// The peer sent something that QMP does not have.
        case protocolViolation(String)
        /// QEMU refused or failed the command, in its own words.
        case command(class: String, description: String)
        /// This connection or this QEMU has no such thing: out-of-band execution, descriptors over TCP.
        case notOffered(String)
        /// The command cannot be written.
        case invalidCommand(String)
        /// The reply of a typed command has not the shape that QEMU documents.
        case unexpectedReply(String)
        /// We closed the connection.
        case closed
        /// The task that waited was cancelled.
        case cancelled
        case system(step: String, errno: Int32)
    }

    public var code: Code
    /// The command that waited or failed, if any.
    public var command: String?
    public var address: QMPAddress?
    /// More about the circumstances, as a clause.
    public var detail: String?

    public init(_ code: Code, command: String? = nil, address: QMPAddress? = nil, detail: String? = nil) {
        self.code = code
        self.command = command
        self.address = address
        self.detail = detail
    }

    /// QEMU does not know the command: it is too old, too new, or built without it.
    public var isCommandNotFound: Bool { errorClass == "CommandNotFound" }

    /// QEMU's error class: `GenericError` nearly always.
    public var errorClass: String? {
        if case .command(let name, _) = code { name } else { nil }
    }

    /// The connection is gone, not only this command.
    public var endsConnection: Bool {
        switch code {
        case .connectFailed, .hostNotFound, .notQMP, .peerClosed, .connectionLost, .protocolViolation, .closed: true
        case .invalidAddress, .timeout, .command, .notOffered, .invalidCommand, .unexpectedReply, .cancelled, .system:
            false
        }
    }

    func of(_ command: String?) -> QMPError {
        var error = self
        error.command = command
        return error
    }
}

extension QMPError: CustomStringConvertible {
    public var description: String {
        let place = address.map { "\($0): " } ?? ""
        let subject = command.map { "'\($0)'" }
        return place + sentence(subject) + (detail.map { " (\($0))" } ?? "")
    }

    private func sentence(_ subject: String?) -> String {
        switch code {
        case .invalidAddress(let reason):
            return reason
        case .connectFailed(let errno):
            return "cannot connect: \(errorText(errno))"
        case .hostNotFound(let reason):
            return "the host is unknown: \(reason)"
        case .notQMP(let received):
            return "this is no QMP monitor: it sent \(received)"
        case .timeout(let span):
            return subject.map { "\($0) was not answered within \(span)" } ?? "no QMP session came about within \(span)"
        case .peerClosed:
            return subject.map { "QEMU closed the connection before it answered \($0)" } ?? "QEMU closed the connection"
        case .connectionLost(let errno):
            return subject.map { "the connection broke before \($0) was answered: \(errorText(errno))" }
                ?? "the connection broke: \(errorText(errno))"
        case .protocolViolation(let what):
            return "the peer broke the protocol: \(what)" + (subject.map { "; \($0) stays unanswered" } ?? "")
        case .command(let name, let text):
            return "\(subject ?? "a command") failed: \(text)" + (name == "GenericError" ? "" : " [\(name)]")
        case .notOffered(let what):
            return (subject.map { "\($0) is not possible: " } ?? "") + what
        case .invalidCommand(let reason):
            return "\(subject ?? "a command") cannot be sent: \(reason)"
        case .unexpectedReply(let reason):
            return "\(subject ?? "a command") was answered in an unknown form: \(reason)"
        case .closed:
            return subject.map { "the connection was closed here before \($0) was answered" }
                ?? "the connection was closed here"
        case .cancelled:
            return subject.map { "waiting for \($0) was cancelled" } ?? "connecting was cancelled"
        case .system(let step, let errno):
            return "\(step) failed: \(errorText(errno))" + (subject.map { "; \($0) was not sent" } ?? "")
        }
    }
}
