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

    /// What one trigger looks for.
    private struct Search {
        let pattern: CompiledPattern
        /// What was said, and was not looked at yet or has no end.
        var transcript = Transcript()
    }

    private let queue = DispatchQueue(label: "fermata.triggers.serial")
    /// By trigger. Held while it is looked for, however long that takes: nobody but the queue's one thread wants it.
    private let searches = Mutex<[Int: Search]>([:])
    private let compile: @Sendable (String) throws -> CompiledPattern

    /// - Parameter compile: is asked once for each trigger.
    init(compile: @escaping @Sendable (String) throws -> CompiledPattern = { try CompiledPattern($0) }) {
        self.compile = compile
    }

    /// - Parameter patterns: of triggers, by their index.
    /// - Returns: of those that were found, or cannot be.
    func listen(to bytes: [UInt8], for patterns: [Int: String]) async -> [Finding] {
        guard !patterns.isEmpty else { return [] }
        return await withCheckedContinuation { continuation in
            queue.async { continuation.resume(returning: self.look(in: bytes, for: patterns)) }
        }
    }

    func look(in bytes: [UInt8], for patterns: [Int: String]) -> [Finding] {
        searches.withLock { searches in
            var findings: [Finding] = []
            for (index, pattern) in patterns.sorted(by: { $0.key < $1.key }) {
                do {
                    var search = try searches.removeValue(forKey: index) ?? Search(pattern: compile(pattern))
                    search.transcript.take(bytes)
                    if try search.transcript.find(search.pattern) != nil {
                        findings.append(Finding(index: index, problem: nil))
                    } else {
                        search.transcript.forget()
                        searches[index] = search
                    }
                } catch {
                    // A manifest has none such; an archive may.
                    let problem = "its pattern is no regular expression: \(error)"
                    findings.append(Finding(index: index, problem: problem))
                }
            }
            return findings
        }
    }
}
