import Dispatch
import HypervisorAPI
import SerialText
import Synchronization

/// Looks for patterns in what the machines of one run say. On a thread of its own: a pattern that a guest makes take for ever keeps nobody
/// waiting but those who listen, and no operation.
final class SerialListener: Sendable {
    struct Finding: Sendable {
        let index: Int
        /// Why it cannot be found; nil: it was.
        let problem: String?
    }

    private let queue = DispatchQueue(label: "fermata.triggers.serial")
    /// What was said, and was not looked at yet or has no end, by trigger. On the queue alone; what is looked at has been taken out.
    private let transcripts = Mutex<[Int: Transcript]>([:])

    /// - Parameter patterns: of triggers, by their index.
    /// - Returns: of those that were found, or cannot be.
    func listen(to bytes: [UInt8], for patterns: [Int: String]) async -> [Finding] {
        guard !patterns.isEmpty else { return [] }
        return await withCheckedContinuation { continuation in
            queue.async { continuation.resume(returning: self.look(in: bytes, for: patterns)) }
        }
    }

    func look(in bytes: [UInt8], for patterns: [Int: String]) -> [Finding] {
        patterns.sorted { $0.key < $1.key }.compactMap { index, pattern in
            var transcript = transcripts.withLock { $0.removeValue(forKey: index) } ?? Transcript()
            transcript.take(bytes)
            do {
                if try transcript.find(pattern) != nil { return Finding(index: index, problem: nil) }
            } catch {
                // A manifest has none such; an archive may.
                return Finding(index: index, problem: "its pattern is no regular expression: \(error)")
            }
            transcript.forget()
            transcripts.withLock { [transcript] in $0[index] = transcript }
            return nil
        }
    }
}
