import Foundation
import GuestClock
import HypervisorAPI
import Testing
import Time

@testable import ControlInstance

/// The names that the outside contract fixes.
struct ReportCodingTests {
    private func object(_ value: some Encodable) throws -> [String: Any] {
        try #require(try JSONSerialization.jsonObject(with: JSONEncoder().encode(value)) as? [String: Any])
    }

    @Test func aSuspendResultHasTheContractsKeys() async throws {
        let bench = try Bench()
        let control = try bench.control()
        try await bench.up(control)
        let result = try object(try await bench.suspend(control))
        for key in [
            "simulation", "checkpoint", "deadlineNs", "spreadNs", "clockErrorBoundNs", "machines", "outcome",
            "exitCode",
            "reasons", "operation",
        ] { #expect(result[key] != nil, "\(key)") }
        #expect(result["policy"] == nil)
        #expect(result["spreadNs"] as? Int == 10_000)
        #expect(result["deadlineNs"] is Int && result["operation"] is String)
        let machine = try #require((result["machines"] as? [[String: Any]])?.first)
        for key in ["name", "stoppedAtNs", "latenessNs", "clock", "ram", "stages"] {
            #expect(machine[key] != nil, "\(key)")
        }
        #expect(machine["resumedAtNs"] == nil)
        #expect((machine["clock"] as? [String: Any])?["rtcNs"] as? Int == 1_700_000_000_000_000_000)
        #expect((machine["ram"] as? [String: Any])?["way"] as? String == "stream")
        #expect((machine["ram"] as? [String: Any])?["bytes"] as? Int == 4096)
        let stage = try #require((machine["stages"] as? [[String: Any]])?.first)
        #expect(
            stage["name"] as? String == "stop" && stage["startedNs"] is Int && stage["durationNs"] as? Int == 10_000
        )
    }

    @Test func aResumeResultHasTheContractsKeys() async throws {
        let bench = try Bench()
        let control = try bench.control()
        try await bench.up(control)
        _ = try await bench.suspend(control)
        let request = ResumeRequest(simulation: "sim", policy: .offset(.seconds(90)), scope: .rtc)
        let result = try object(try await control.result(of: control.resume(request)))
        #expect(result["policy"] as? String == ClockPolicy.offset(.seconds(90)).description)
        let machine = try #require((result["machines"] as? [[String: Any]])?.first)
        for key in ["resumedAtNs", "clockBefore", "clockAfter", "latenessNs"] { #expect(machine[key] != nil, "\(key)") }
        #expect(machine["stoppedAtNs"] == nil)
    }

    @Test func everyReportComesBackAsItWas() async throws {
        func again<Value: Codable & Equatable>(_ value: Value) throws {
            #expect(try JSONDecoder().decode(Value.self, from: JSONEncoder().encode(value)) == value)
        }
        let bench = try Bench()
        let control = try bench.control()
        try await bench.up(control)
        try again(try await control.simulation(named: "sim"))
        try again(try await control.simulations())
        try again(try await control.clocks(of: "sim", pausing: true))
        let report = try await bench.suspend(control)
        try again(report)
        try again(try await control.operation(report.operation))
        try again(try await control.log("sim"))
        try again(try await control.show("sim", "s1"))
        try again(try await control.verify("sim", "s1"))
        try again(await control.doctor())
        try again(try await control.down("sim"))
        try again(ControlError(code: "x", machine: "a", message: "m", exitCode: 3))
        for when in [When.asap, .at(HostInstant(nanosecondsSinceEpoch: 5)), .in(.seconds(1))] {
            try again(SaveRequest(simulation: "sim", when: when))
        }
        for event in [
            OperationEvent.phase(report.operation, .armed, deadline: report.deadline),
            .stage(
                OperationReport.Stage(machine: "a", name: "x", started: report.started, duration: .zero, bytes: nil)
            ),
            .result(report),
        ] { try again(event) }
    }

    @Test func eventsAreFlatLines() throws {
        let operation = OperationID(text: "op")
        let phase = try object(OperationEvent.phase(operation, .armed, deadline: HostInstant(nanosecondsSinceEpoch: 5)))
        #expect(
            phase["event"] as? String == "phase" && phase["phase"] as? String == "armed"
                && phase["deadlineNs"] as? Int == 5
        )
        let report = OperationReport(
            operation: operation,
            kind: .suspend,
            simulation: "sim",
            outcome: .missed,
            started: HostInstant(nanosecondsSinceEpoch: 1)
        )
        let result = try object(OperationEvent.result(report))
        #expect(result["event"] as? String == "result" && result["simulation"] as? String == "sim")
        #expect(result["exitCode"] as? Int == 4)
    }

    @Test func bothAnInstantAndASpanAreNoWhen() {
        let text = #"{"atNs": 1, "inNs": 2}"#
        #expect(throws: DecodingError.self) { try JSONDecoder().decode(When.self, from: Data(text.utf8)) }
    }

    @Test func exitCodesAreTheContracts() {
        let codes = OperationOutcome.allCases.map { "\($0.rawValue) \($0.exitCode)" }
        #expect(
            codes == [
                "done 0", "failed 1", "refused 3", "missed 4", "unknown 5", "corrupt 6", "unsynchronised 7",
                "cancelled 130",
            ]
        )
    }

    @Test func identifiersSortByTimeAndDiffer() {
        let ids = (0..<50).map {
            OperationID.new(at: HostInstant(nanosecondsSinceEpoch: Int64($0) * 1_000_000_000)).text
        }
        #expect(ids == ids.sorted() && Set(ids.map { $0.suffix(16) }).count == 50)
        #expect(ids.allSatisfy { Name.isValid($0) && $0.count == 26 })
        _ = OperationID.new(at: HostInstant(nanosecondsSinceEpoch: .min))
        _ = OperationID.new(at: HostInstant(nanosecondsSinceEpoch: .max))
    }
}
