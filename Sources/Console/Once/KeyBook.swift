import FoundationEssentials
import HypervisorAPI
public import Logging
import Synchronization

/// Which operation each `Idempotency-Key` stands for, so that a request that is sent again begins nothing again.
///
/// It is written down before the operation begins, so that the next daemon knows it, too: whether the operation did begin is in the
/// database, by the id that is kept here.
public final class KeyBook: Sendable {
    /// Of all senders. Of more, the oldest of whoever has the most is forgotten: nobody's keys push out those of one who sends fewer.
    static let limit = 4096
    /// Of the file: each line is some 250 bytes.
    private static let largestFile = 8 << 20

    private struct State {
        var known = KnownKeys(limit: KeyBook.limit)
        /// In the file; nil: there is none yet.
        var lines: Int?
    }

    private let file: PrivateFile
    /// What is on disk. Whoever changes it does so on ``writing``, and nobody who reads it waits for that.
    private let state: Mutex<State>
    private let writing = WritingQueue("keys")
    /// Keys that are being dealt with, and who waits for that.
    private let busy = Mutex<[String: [CheckedContinuation<Void, Never>]]>([:])

    /// - Parameter path: absolute; need not be there. Of this process alone: it is read once.
    public init(path: String, logger: Logger) {
        file = PrivateFile(path: path)
        var state = State()
        do throws(PrivateFile.Failure) {
            if let bytes = try file.read(limit: Self.largestFile) {
                // A line that was cut off by a crash belongs to an operation that did not begin.
                for line in bytes.split(separator: UInt8(ascii: "\n")) {
                    guard let request = try? JSONDecoder().decode(KeyedRequest.self, from: Data(line)) else { continue }
                    state.known.add(request)
                }
            }
        } catch {
            logger.warning(
                "keys of earlier requests are not known",
                metadata: ["file": "\(path)", "error": "\(error.why)"]
            )
        }
        self.state = Mutex(state)
    }

    /// Waits until nobody else deals with the key. To be followed by ``leave(_:)``.
    func enter(_ key: String) async {
        await withCheckedContinuation { continuation in
            let isFree = busy.withLock { busy in
                if busy[key] == nil {
                    busy[key] = []
                    return true
                }
                busy[key]?.append(continuation)
                return false
            }
            if isFree { continuation.resume() }
        }
    }

    func leave(_ key: String) {
        let next: CheckedContinuation<Void, Never>? = busy.withLock { busy in
            guard let waiting = busy[key], !waiting.isEmpty else {
                busy[key] = nil
                return nil
            }
            return busy[key]?.removeFirst()
        }
        next?.resume()
    }

    /// The operation that a key stands for.
    /// - Parameters:
    ///   - sender: whose key it is.
    ///   - new: what it is to stand for if it is not known yet; durable when this returns.
    /// - Returns: whether it was known, too.
    /// - Throws: ``Problem`` `key-reused` when it was sent with another request, `keys-not-written`.
    func claim(
        _ key: String,
        of sender: String,
        for request: String,
        new: OperationID
    ) async throws(Problem) -> (operation: OperationID, isKnown: Bool) {
        if let known = try known(key, request) { return (known, true) }
        let entry = KeyedRequest(key: key, sender: sender, request: request, operation: new)
        return try await writing.run { [self] () throws(Problem) -> (operation: OperationID, isKnown: Bool) in
            if let known = try known(key, request) { return (known, true) }
            do throws(PrivateFile.Failure) {
                try write(entry)
            } catch {
                // What is at the file's end now is not known: it is written anew.
                state.withLock { $0.lines = nil }
                throw .keysNotWritten(file.path, error.why)
            }
            return (new, false)
        }
    }

    private func known(_ key: String, _ request: String) throws(Problem) -> OperationID? {
        guard let known = state.withLock({ $0.known[key] }) else { return nil }
        guard known.request == request else { throw .keyReused }
        return known.operation
    }

    /// On ``writing``.
    private func write(_ entry: KeyedRequest) throws(PrivateFile.Failure) {
        if let lines = state.withLock({ $0.lines }), lines < 2 * Self.limit {
            try file.append(try Self.line(entry))
            state.withLock {
                $0.known.add(entry)
                $0.lines = lines + 1
            }
            return
        }
        var known = state.withLock { $0.known }
        known.add(entry)
        var bytes: [UInt8] = []
        for request in known.all { bytes += try Self.line(request) }
        try file.write(bytes)
        state.withLock { [known] in
            $0.known = known
            $0.lines = known.count
        }
    }

    private static func line(_ request: KeyedRequest) throws(PrivateFile.Failure) -> [UInt8] {
        do {
            return Array(try Answer.encode(request)) + [UInt8(ascii: "\n")]
        } catch {
            throw PrivateFile.Failure(why: "\(error)")
        }
    }
}
