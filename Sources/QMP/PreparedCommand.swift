public import Time
public import JSON

/// A command that QEMU has got but for its last bytes, and that has its connection's socket to itself.
///
/// Write ``bytes`` to ``descriptor`` from any thread, then say ``didSend(_:)`` and await ``reply(timeout:)``; or
/// ``abandon()`` it. Until one of these, no other command leaves on the connection. When the
/// connection ends before, QEMU forgets what it has got. The descriptor stays open for as long
/// as this object lives, also when the connection ends meanwhile (`send` then gives EPIPE, and `reply` the reason).
public final class PreparedCommand: Sendable {
    public let command: QMPCommand
    /// What is left to send.
    public let bytes: [UInt8]
    /// The connection's socket, non-blocking. Not to be closed.
    public var descriptor: Int32 { socket.number }

    private let id: Int64
    private let socket: OwnedDescriptor
    private let slot: Slot<MonitorLink.Reply>
    private let connection: QMPConnection

    init(
        _ command: QMPCommand,
        id: Int64,
        bytes: [UInt8],
        socket: OwnedDescriptor,
        slot: Slot<MonitorLink.Reply>,
        connection: QMPConnection
    ) {
        self.command = command
        self.id = id
        self.bytes = bytes
        self.socket = socket
        self.slot = slot
        self.connection = connection
    }

    deinit {
        abandon()
    }

    /// The bytes left: other commands may follow. After a short write say how many did, the connection sends the rest.
    /// Does nothing the second time.
    public func didSend(_ count: Int? = nil) {
        connection.link.handBack(id, bytes: bytes, written: count ?? bytes.count)
    }

    /// QEMU's answer. Await it also when the write failed: the connection's end is the answer then.
    ///
    /// - Parameter timeout: from now; when it ends, the command counts as abandoned.
    /// - Throws: as ``QMPConnection/execute(_:timeout:descriptors:)``.
    @discardableResult
    public func reply(timeout: Span? = QMPConnection.usualTimeout) async throws(QMPError) -> JSONValue {
        connection.link.limit(id, to: timeout)
        return try await connection.link.answer(in: slot, id: id)
    }

    /// Gives the socket back and makes what QEMU has got harmless. For a command that was never written. Whoever awaits
    /// the reply gets `cancelled`. After ``didSend(_:)`` it only means that nobody waits for the answer.
    public func abandon() {
        connection.link.giveUp(id, .cancelled)
    }
}
