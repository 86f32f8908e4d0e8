import SerialText
import Time

/// A report as JUnit XML, which build servers read: a test case for each combination.
package enum JUnit {
    package static func xml(of report: BatchReport) -> String {
        let cases = (report.prepare.map { [("prepare", $0)] } ?? []) + report.combinations.map { ($0.name, $0) }
        let count = { (outcome: Outcome) in cases.filter { $0.1.outcome == outcome }.count }
        let counts =
            "tests=\"\(cases.count)\" failures=\"\(count(.failed))\" errors=\"\(count(.error))\" "
            + "skipped=\"\(count(.skipped))\" time=\"\(seconds(report.duration))\""
        let suite = "<testsuite name=\"\(escaped(report.batch))\" \(counts) timestamp=\"\(timestamp(report.started))\">"
        let inside = cases.map { element(name: $0.0, $0.1, of: report) }.joined()
        return
            "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<testsuites \(counts)>\n  \(suite)\n\(inside)  </testsuite>\n</testsuites>\n"
    }

    private static func element(name: String, _ result: CombinationResult, of report: BatchReport) -> String {
        var inside = ""
        switch result.outcome {
        case .passed: break
        case .failed: inside += fault("failure", result, report)
        case .error: inside += fault("error", result, report)
        case .skipped: inside += "      <skipped/>\n"
        }
        let log = result.steps.map { step in
            "\(step.outcome.rawValue): \(step.step)" + (step.message.map { ": \($0)" } ?? "")
                + (step.output.map { "\n\($0)" } ?? "")
        }.joined(separator: "\n")
        inside += "      <system-out>\(escaped(log))</system-out>\n"
        return "    <testcase classname=\"\(escaped(report.batch))\" name=\"\(escaped(name))\" "
            + "time=\"\(seconds(result.duration))\">\n\(inside)    </testcase>\n"
    }

    private static func fault(_ kind: String, _ result: CombinationResult, _ report: BatchReport) -> String {
        let step = result.culprit
        let place = step.map { "\(report.file):\($0.line): \($0.step)" } ?? report.file
        return
            "      <\(kind) message=\"\(escaped(step?.message ?? ""))\" type=\"\(kind)\">\(escaped(place))</\(kind)>\n"
    }

    /// For text and for attributes. XML 1.0 has no way at all to write most control characters.
    package static func escaped(_ text: String) -> String {
        var result = ""
        for scalar in text.unicodeScalars {
            switch scalar {
            case "&": result += "&amp;"
            case "<": result += "&lt;"
            case ">": result += "&gt;"
            case "\"": result += "&quot;"
            case "\n": result += "&#10;"
            case "\t": result += "&#9;"
            default: result += Visible.text(String(Character(scalar)))
            }
        }
        return result
    }

    private static func seconds(_ span: Span) -> String {
        let milliseconds = max(0, span.nanoseconds) / 1_000_000
        let rest = "\(milliseconds % 1_000)"
        return "\(milliseconds / 1_000)." + String(repeating: "0", count: 3 - rest.utf8.count) + rest
    }

    /// Without a zone, as the format has it: UTC.
    private static func timestamp(_ instant: HostInstant) -> String {
        let time = CivilTime(secondsSinceEpoch: instant.wholeSeconds)
        let two = { (number: Int) in number < 10 ? "0\(number)" : "\(number)" }
        return
            "\(time.year)-\(two(time.month))-\(two(time.day))T\(two(time.hour)):\(two(time.minute)):\(two(time.second))"
    }
}
