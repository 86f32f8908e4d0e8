public import JSON
public import Time

/// One connection to a QEMU monitor, ready for commands. Any number of tasks may use it at once: commands are pipelined
/// and matched by id. Dropping the last reference closes it.
public final class QMPConnection: Sendable {
    /// What typed commands wait for an answer; a main loop that is busy with disks can take seconds.
    public static let usualTimeout = Span.seconds(20)

    public let address: QMPAddress
    public let greeting: QMPGreeting
    /// The process that listens at a UNIX socket: QEMU, if it opened the socket itself and not a launcher for it. Nil for
    /// TCP.
    public let peerProcessID: Int32?

    let link: MonitorLink

    private init(link: MonitorLink, greeting: QMPGreeting) {
        self.link = link
        self.greeting = greeting
        address = link.address
        peerProcessID = link.peerProcessID()
    }

    deinit {
        link.end(.closed)
    }

    /// Connects, checks the greeting and negotiates the capabilities (out-of-band execution where offered).
    ///
    /// - Parameter timeout: for all of it together. A monitor serves one client at a time; a second one gets no greeting
    ///   until the first has gone.
    /// - Throws: `connectFailed`, `hostNotFound`, `notQMP`, `timeout`, `peerClosed`, `connectionLost`, `cancelled`.
    public static func connect(
        to address: QMPAddress,
        timeout: Span = .seconds(5)
    ) async throws(QMPError) -> QMPConnection {
        let link = try MonitorLink(address: address)
        try link.start()
        let guardian = Task {
            guard (try? await Task.sleep(for: timeout.duration)) != nil else { return }
            link.endForTimeout(timeout)
        }
        defer { guardian.cancel() }
        let outcome = await withTaskCancellationHandler {
            await link.ready.value()
        } onCancel: {
            link.end(.cancelled)
        }
        return QMPConnection(link: link, greeting: try outcome.get())
    }

    /// Runs one command and returns what QEMU returned for it.
    ///
    /// - Parameters:
    ///   - timeout: counted from now, waiting for the turn included; nil waits for ever. A late answer is dropped.
    ///   - descriptors: travel in the same message (SCM_RIGHTS); duplicates are made at once, the caller keeps its own.
    /// - Throws: `command` when QEMU refused, or why no answer came; each names the command.
    @discardableResult
    public func execute(
        _ command: QMPCommand,
        timeout: Span? = QMPConnection.usualTimeout,
        descriptors: [Int32] = []
    ) async throws(QMPError) -> JSONValue {
        let id = link.newID()
        let bytes = try encode(command) { command throws(QMPError) in try command.encoded(id: id) }
        let duplicates = try duplicate(descriptors, for: command)
        let slot = try link.submit(command, id: id, bytes: bytes, descriptors: duplicates, timeout: timeout)
        return try await link.answer(in: slot, id: id)
    }

    /// Serialises a command and sends all of it but its last bytes, which a real-time thread sends with one `send` at the
    /// instant: QEMU reads slowly, and then has read nearly everything.
    ///
    /// Suspends until everything before it has left, and until no other command is prepared. From then on the socket is
    /// this command's alone: every `execute` waits until ``PreparedCommand/didSend(_:)``, ``PreparedCommand/abandon()`` or
    /// the answer.
    public func prepare(
        _ command: QMPCommand,
        timeout: Span? = QMPConnection.usualTimeout
    ) async throws(QMPError) -> PreparedCommand {
        let id = link.newID()
        let advance = try encode(command) { command throws(QMPError) in try command.advance(id: id) }
        let (slot, hold) = try link.reserve(command, id: id, advance, timeout: timeout)
        let outcome = await withTaskCancellationHandler {
            await hold.value()
        } onCancel: {
            link.giveUp(id, .cancelled)
        }
        let socket = try outcome.get()
        // Cancelled right after the socket was its own: it is no more.
        guard link.isHolder(id) else { throw QMPError(.cancelled, command: command.name, address: address) }
        return PreparedCommand(command, id: id, bytes: advance.trigger, socket: socket, slot: slot, connection: self)
    }

    /// The events from now on, for one subscriber; see ``QMPEvents``.
    public func events(buffering capacity: Int = 1024) -> QMPEvents {
        link.subscribe(capacity: capacity)
    }

    /// Closes the connection and waits until its thread is gone. QEMU itself goes on. Whoever still waits gets `closed`.
    public func close() async {
        link.end(.closed)
        _ = await link.ended.value()
    }

    /// Why the connection ended, once it has.
    public var closed: QMPError {
        get async { await link.ended.value() }
    }

    public var isOpen: Bool { link.state.withLock { $0.end == nil } }

    private func encode<Form>(
        _ command: QMPCommand,
        _ form: (QMPCommand) throws(QMPError) -> Form
    ) throws(QMPError) -> Form {
        do throws(QMPError) {
            if command.outOfBand, !greeting.offersOutOfBand {
                throw QMPError(.notOffered("this monitor has no out-of-band execution"), command: command.name)
            }
            return try form(command)
        } catch {
            throw QMPError(error.code, command: command.name, address: address)
        }
    }

    private func duplicate(_ numbers: [Int32], for command: QMPCommand) throws(QMPError) -> [OwnedDescriptor] {
        guard !numbers.isEmpty else { return [] }
        guard case .unix = address else {
            throw QMPError(.notOffered("only UNIX sockets carry descriptors"), command: command.name, address: address)
        }
        guard numbers.count <= 253 else {
            let reason = "one message carries 253 descriptors at most"
            throw QMPError(.invalidCommand(reason), command: command.name, address: address)
        }
        var duplicates: [OwnedDescriptor] = []
        for number in numbers {
            guard let duplicate = OwnedDescriptor(duplicating: number) else {
                throw QMPError(
                    .system(step: "duplicating descriptor \(number)", errno: lastError()),
                    command: command.name,
                    address: address
                )
            }
            duplicates.append(duplicate)
        }
        return duplicates
    }
}
