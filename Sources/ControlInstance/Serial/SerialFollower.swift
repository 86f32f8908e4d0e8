import HypervisorAPI

/// Follows what a machine says on a serial port: over its processes, its hosts, and lost connections.
///
/// It reads when it is asked for news, and keeps one chunk at most: what nobody takes stays in the port's log, on the machine's host.
actor SerialFollower {
    /// Where the machine belongs now.
    enum Whereabouts: Sendable {
        case on(any Hypervisor)
        /// As far as is known, where it was.
        case unknown
        /// Its simulation is not there any more.
        case nowhere
    }

    private let port: SerialPlace
    private let whereabouts: @Sendable () async -> Whereabouts
    private var hypervisor: any Hypervisor
    private var offset: UInt64?
    /// As it was told last.
    private var state = SerialState.State.connected
    private var reasons: [Reason] = []
    /// Read, and not told yet.
    private var held: SerialChunk?
    private var pace: AskingPace

    init(
        _ port: SerialPlace,
        on hypervisor: any Hypervisor,
        from offset: UInt64?,
        pace: AskingPace = AskingPace(),
        whereabouts: @escaping @Sendable () async -> Whereabouts
    ) {
        self.port = port
        self.hypervisor = hypervisor
        self.offset = offset
        self.pace = pace
        self.whereabouts = whereabouts
    }

    /// - Returns: nil when its task is cancelled, or nothing will come any more.
    func next() async -> SerialNews? {
        if let chunk = held {
            held = nil
            return .output(chunk)
        }
        guard state != .ended else { return nil }
        if let pause = pace.pause() { await pace.sleep(pause) }
        guard !Task.isCancelled else { return nil }
        do throws(HypervisorError) {
            pace.asks()
            let chunk = try await hypervisor.readSerial(port, from: offset)
            // Whoever has nothing to tell is to wait until there is something; one that does not is not asked without end.
            pace.answered(isEmpty: chunk.bytes.isEmpty)
            return await news(of: chunk)
        } catch {
            guard !Task.isCancelled else { return nil }
            pace.failed()
            return await news(of: error)
        }
    }

    private func news(of chunk: SerialChunk) async -> SerialNews {
        offset = chunk.end
        guard chunk.bytes.isEmpty else {
            guard let news = become(.connected, "it is heard again") else { return .output(chunk) }
            held = chunk
            return news
        }
        if chunk.runs { return become(.connected, "it is heard again") ?? .silence }
        return await lookAround() ?? become(.stopped, "it does not run: what it says is told again when it does")
            ?? .silence
    }

    private func news(of error: HypervisorError) async -> SerialNews {
        await lookAround() ?? become(.lost, "\(error); it is tried again", error.reasons) ?? .silence
    }

    /// Of a machine that says nothing here: it may have gone on somewhere else.
    private func lookAround() async -> SerialNews? {
        switch await whereabouts() {
        case .unknown: return nil
        case .nowhere: return become(.ended, "there is no such simulation any more")
        case .on(let other):
            // What was read there says nothing of the log that it has here.
            if other.host != hypervisor.host { offset = nil }
            // It may also have been added anew.
            hypervisor = other
            return nil
        }
    }

    /// - Parameter what: a clause about the machine.
    private func become(_ new: SerialState.State, _ what: String, _ why: [Reason] = []) -> SerialNews? {
        guard state != new || reasons != why else { return nil }
        state = new
        reasons = why
        return .state(SerialState(state: new, message: "\(port.simulation)/\(port.machine): \(what)", reasons: why))
    }
}
