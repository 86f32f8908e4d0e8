import HypervisorAPI
import PrometheusText
import Synchronization
import Testing
import Time

@testable import ControlInstance

/// What `/metrics` tells of operations that really ran, on hypervisors that are doubles.
struct MetricsTests {
    private func lines(_ control: ControlInstance) async throws -> [String: Double] {
        let text = try await control.metrics()
        var values: [String: Double] = [:]
        for line in text.split(separator: "\n") where !line.hasPrefix("#") {
            let cut = try #require(line.lastIndex(of: " "))
            let name = String(line[..<cut])
            #expect(values[name] == nil, "\(name) is told twice")
            let value: Double = try #require(Double(String(line[line.index(after: cut)...])), "\(line)")
            values[name] = value
        }
        return values
    }

    @Test func operationsAreCountedWithTheirOutcomesStagesAndStamps() async throws {
        let bench = try Bench()
        // However busy the machine is, no host is called away.
        var options = Bench.options
        options.answerTimeout = .seconds(600)
        options.metricsPatience = .seconds(600)
        let control = try bench.control(options: options)
        try await bench.up(control)
        let suspended = try await bench.suspend(control)
        _ = try await bench.resume(control)
        bench.left.world.withLock { $0.script[.prepare] = [.refuse("no-space")] }
        _ = try? await bench.suspend(control)

        let values = try await lines(control)
        #expect(values["fermata_operations_total{kind=\"start\",outcome=\"done\"}"] == 1)
        #expect(values["fermata_operations_total{kind=\"suspend\",outcome=\"done\"}"] == 1)
        #expect(values["fermata_operations_total{kind=\"suspend\",outcome=\"refused\"}"] == 1)
        #expect(values["fermata_operations_total{kind=\"checkpoint\",outcome=\"done\"}"] == 0)
        // The double stops its machines 10, 20 and 10 µs late.
        #expect(values["fermata_machine_lateness_seconds_bucket{kind=\"suspend\",le=\"1e-05\"}"] == 2)
        #expect(values["fermata_machine_lateness_seconds_count{kind=\"suspend\"}"] == 3)
        #expect(values["fermata_operation_spread_seconds_sum{kind=\"suspend\"}"] == 1e-5)
        #expect(values["fermata_stage_duration_seconds_count{kind=\"suspend\",stage=\"stop\"}"] == 3)
        #expect(values["fermata_ram_bytes_total{kind=\"suspend\",way=\"stream\"}"] == 12_288)
        #expect(values["fermata_operation_clock_error_bound_seconds"] == suspended.clockErrorBound?.seconds)
        #expect(values["fermata_operation_duration_seconds_count{kind=\"suspend\"}"] == 2)
        #expect(values["fermata_simulations{state=\"running\"}"] == 1)
        #expect(values["fermata_host_up{host=\"left\"}"] == 1)
        #expect(try #require(values["fermata_checkpoint_bytes"]) > 0)
    }

    @Test func aHostThatNamesStagesWithoutEndDoesNotFillTheMemory() throws {
        var metrics = OperationMetrics()
        let now = HostInstant(nanosecondsSinceEpoch: 1_000_000_000)
        let stages = (0..<500).map {
            OperationReport.Stage(machine: nil, name: "stage\($0)", started: now, duration: .seconds(1), bytes: nil)
        }
        metrics.record(
            OperationReport(
                operation: OperationID(text: "op"),
                kind: .suspend,
                simulation: "sim",
                outcome: .done,
                stages: stages,
                started: now
            )
        )
        let text = metrics.families.map(\.text).joined()
        let counted = text.split(separator: "\n").filter { $0.hasPrefix("fermata_stage_duration_seconds_count") }
        #expect(counted.count == 101)
        #expect(counted.contains { $0.hasSuffix("stage=\"other\"} 400") })
    }
}
