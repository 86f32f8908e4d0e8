import JSON

extension FaultLab {
    /// What `fermata … --json` said.
    struct Answer: Sendable, CustomStringConvertible {
        let run: CLIRun
        /// Of its last line, which is the result.
        let result: JSONValue

        var status: Int32 { run.status }
        var codes: [String] {
            let reasons = result["reasons"]?.arrayValue?.compactMap { $0["code"]?.stringValue } ?? []
            return reasons + [result["code"]?.stringValue].compactMap { $0 }
        }
        var messages: String {
            let reasons = result["reasons"]?.arrayValue?.compactMap { $0["message"]?.stringValue } ?? []
            return (reasons + [result["detail"]?.stringValue].compactMap { $0 }).joined(separator: "\n")
        }

        /// Whether a reason is about this machine.
        func names(_ machine: String) -> Bool {
            result["reasons"]?.arrayValue?.contains { $0["machine"]?.stringValue == machine } ?? false
        }

        init(run: CLIRun) {
            self.run = run
            result = (try? JSONValue(parsing: run.outputLines.last ?? "")) ?? .null
        }

        var description: String { "exit \(run.status)\n\(run.outputLines.last ?? "")\n\(run.errors)" }
    }
}
