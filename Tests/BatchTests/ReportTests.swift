import Batch
import FoundationEssentials
import Testing
import Time

/// Reports, as programs read them.
struct ReportTests {
    private static func result(_ number: Int, _ outcome: Outcome, _ message: String? = nil) -> CombinationResult {
        CombinationResult(
            number: number,
            name: "offset=+\(number)h",
            values: [Combination.Value("offset", "+\(number)h")],
            outcome: outcome,
            started: HostInstant(nanosecondsSinceEpoch: 1_700_000_000_000_000_000),
            duration: .milliseconds(1_500),
            steps: [StepResult(line: 4, step: "wait", outcome: outcome, message: message, output: message)]
        )
    }

    private static func report(_ results: [CombinationResult], cancelled: Bool = false) throws -> BatchReport {
        let batch = try Sheet.parse(
            "batch: night\nmatrix: {offset: [+1h, +2h, +3h]}\nsteps: [{up: {from: lab@s1, clock: \"${{ offset }}\"}}]\n"
        )
        return BatchReport(
            batch,
            file: "night.yaml",
            started: HostInstant(nanosecondsSinceEpoch: 1_700_000_000_000_000_000),
            duration: .seconds(61),
            prepare: nil,
            results: results,
            isCancelled: cancelled
        )
    }

    @Test func `what was not done is in the report, in the order of the file, and it is no success`() throws {
        let report = try Self.report([Self.result(3, .passed), Self.result(1, .passed)])
        #expect(report.combinations.map(\.outcome) == [.passed, .skipped, .passed])
        #expect(report.outcome == .skipped && report.exitCode == 1)
        #expect(report.summary == "2 of 3 passed, 1 not done")
    }

    @Test func `the exit code is 0 only when all have passed, 130 when it was called off`() throws {
        let all = [Self.result(1, .passed), Self.result(2, .passed), Self.result(3, .passed)]
        #expect(try Self.report(all).exitCode == 0)
        #expect(try Self.report(all, cancelled: true).exitCode == 130)
        let one = try Self.report(Array(all.dropLast()) + [Self.result(3, .error)])
        #expect(one.exitCode == 1 && one.outcome == .error)
    }

    @Test func `results come back from the journal as they went in`() throws {
        let result = Self.result(2, .failed, "\u{1B}[0m <why> & \"how\"")
        let data = try JSONEncoder().encode(result)
        #expect(try JSONDecoder().decode(CombinationResult.self, from: data) == result)
    }

    @Test func `JUnit has a case for each combination, and what XML cannot hold is written out`() throws {
        let report = try Self.report([
            Self.result(1, .passed), Self.result(2, .failed, "\u{1B}[31m<red> & \"quoted\"\n\u{0}\u{FFFE}"),
        ])
        let xml = JUnit.xml(of: report)
        #expect(
            xml.hasPrefix(
                """
                <?xml version="1.0" encoding="UTF-8"?>
                <testsuites tests="3" failures="1" errors="0" skipped="1" time="61.000">
                  <testsuite name="night" tests="3" failures="1" errors="0" skipped="1" time="61.000" \
                timestamp="2023-11-14T22:13:20">
                    <testcase classname="night" name="offset=+1h" time="1.500">

                """
            ),
            "\(xml)"
        )
        let message = #"\x1b[31m&lt;red&gt; &amp; &quot;quoted&quot;&#10;\x00\xfffe"#
        #expect(xml.contains("<failure message=\"\(message)\" type=\"failure\">night.yaml:4: wait</failure>"), "\(xml)")
        #expect(xml.contains("      <skipped/>\n"))
        #expect(xml.unicodeScalars.allSatisfy { $0.value >= 0x20 || $0 == "\n" })
    }
}
