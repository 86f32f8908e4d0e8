import FoundationEssentials
import Glibc
import JSON

/// A `fermata` that has not ended yet, as a test that follows it sees it.
struct RunningCommand: Sendable {
    let id: pid_t
    /// Where its standard output goes.
    let output: String

    /// The whole lines so far; what is no JSON is left out.
    var lines: [JSONValue] {
        let text = (try? String(contentsOfFile: output, encoding: .utf8)) ?? ""
        guard let end = text.lastIndex(of: "\n") else { return [] }
        return text[..<end].split(separator: "\n").compactMap { try? JSONValue(parsing: String($0)) }
    }

    /// Waits for a line of `--json`.
    /// - Throws: when the result comes first, or nothing at all for a very long time.
    @discardableResult
    func line(_ what: String, _ isIt: (JSONValue) -> Bool) async throws -> JSONValue {
        for _ in 0..<20_000 {
            let lines = lines
            if let line = lines.first(where: isIt) { return line }
            if let result = lines.last, result["event"]?.stringValue == "result" || result["code"] != nil {
                throw CLIError("it ended before \(what): \(result)")
            }
            try await Task.sleep(for: .milliseconds(1))
        }
        throw CLIError("waited in vain for \(what)")
    }

    func phase(_ name: String) async throws {
        try await line("phase '\(name)'") { $0["event"]?.stringValue == "phase" && $0["phase"]?.stringValue == name }
    }

    func hasSeen(phase name: String) -> Bool {
        lines.contains { $0["event"]?.stringValue == "phase" && $0["phase"]?.stringValue == name }
    }

    /// The end of a stage of the whole host.
    func stage(_ name: String) async throws {
        try await line("stage '\(name)'") { $0["event"]?.stringValue == "stage" && $0["name"]?.stringValue == name }
    }
}
