import FoundationEssentials
import HypervisorAPI
public import Logging
import Synchronization

/// Which operation each `Idempotency-Key` stands for, so that a request that is sent again begins nothing again.
///
/// It is written down before the operation begins, so that the next daemon knows it, too: whether the operation did begin is in the
/// database, by the id that is kept here.
public final class KeyBook: Sendable {
    /// The oldest of more are forgotten: who has not come back for so long will not.
    static let limit = 4096
    /// Of the file: each line is some 200 bytes.
    private static let largestFile = 8 << 20

    private struct State {
        var requests: [String: KeyedRequest] = [:]
        /// Of the keys, oldest first.
        var order: [String] = []
        /// In the file; nil: there is none yet.
        var lines: Int?
        /// Keys that are being dealt with, and who waits for that.
        var busy: [String: [CheckedContinuation<Void, Never>]] = [:]
    }

    private let file: PrivateFile
    private let state: Mutex<State>

    /// - Parameter path: absolute; need not be there. Of this process alone: it is read once.
    public init(path: String, logger: Logger) {
        file = PrivateFile(path: path)
        var state = State()
        do throws(PrivateFile.Failure) {
            if let bytes = try file.read(limit: Self.largestFile) {
                // A line that was cut off by a crash belongs to an operation that did not begin.
                for line in bytes.split(separator: UInt8(ascii: "\n")) {
                    guard let request = try? JSONDecoder().decode(KeyedRequest.self, from: Data(line)) else { continue }
                    Self.add(request, to: &state)
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
            let isFree = state.withLock { state in
                if state.busy[key] == nil {
                    state.busy[key] = []
                    return true
                }
                state.busy[key]?.append(continuation)
                return false
            }
            if isFree { continuation.resume() }
        }
    }

    func leave(_ key: String) {
        let next: CheckedContinuation<Void, Never>? = state.withLock { state in
            guard let waiting = state.busy[key], !waiting.isEmpty else {
                state.busy[key] = nil
                return nil
            }
            return state.busy[key]?.removeFirst()
        }
        next?.resume()
    }

    /// The operation that a key stands for.
    /// - Parameter new: what it is to stand for if it is not known yet; durable when this returns.
    /// - Returns: whether it was known, too.
    /// - Throws: ``Problem`` `key-reused` when it was sent with another request, `keys-not-written`.
    func claim(_ key: String, for request: String, new: OperationID) throws(Problem) -> (
        operation: OperationID, isKnown: Bool
    ) {
        try state.withLock { state throws(Problem) in
            if let known = state.requests[key] {
                guard known.request == request else { throw .keyReused }
                return (known.operation, true)
            }
            let entry = KeyedRequest(key: key, request: request, operation: new)
            do throws(PrivateFile.Failure) {
                try write(entry, &state)
            } catch {
                // What is at the file's end now is not known: it is written anew.
                state.lines = nil
                throw .keysNotWritten(file.path, error.why)
            }
            return (new, false)
        }
    }

    private func write(_ entry: KeyedRequest, _ state: inout State) throws(PrivateFile.Failure) {
        var next = state
        Self.add(entry, to: &next)
        if let lines = state.lines, lines < 2 * Self.limit {
            try file.append(try Self.line(entry))
            next.lines = lines + 1
        } else {
            var bytes: [UInt8] = []
            for key in next.order {
                if let request = next.requests[key] { bytes += try Self.line(request) }
            }
            try file.write(bytes)
            next.lines = next.order.count
        }
        state = next
    }

    private static func add(_ request: KeyedRequest, to state: inout State) {
        if state.requests.updateValue(request, forKey: request.key) == nil { state.order.append(request.key) }
        if state.order.count > limit { state.requests[state.order.removeFirst()] = nil }
    }

    private static func line(_ request: KeyedRequest) throws(PrivateFile.Failure) -> [UInt8] {
        do {
            return Array(try Answer.encode(request)) + [UInt8(ascii: "\n")]
        } catch {
            throw PrivateFile.Failure(why: "\(error)")
        }
    }
}
