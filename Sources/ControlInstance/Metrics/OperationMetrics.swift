import HypervisorAPI
import PrometheusText
import Time

/// What the operations of this daemon's life did, counted.
struct OperationMetrics: Sendable {
    private struct Ended: Hashable {
        let kind: OperationKind
        let outcome: OperationOutcome
    }

    private struct StageOf: Hashable {
        let kind: OperationKind
        let name: String
    }

    private var ended: [Ended: UInt64] = [:]
    private var durations: [OperationKind: Histogram] = [:]
    private var stages: [StageOf: Histogram] = [:]
    private var lateness: [OperationKind: Histogram] = [:]
    private var spreads: [OperationKind: Histogram] = [:]
    private var pauses: Histogram?
    private var ramBytes: [OperationKind: [RAMWay: UInt64]] = [:]
    private var clockErrorBound: Span?
    /// Of checkpoints, between hosts; bytes.
    var transferred: (direct: UInt64, relayed: UInt64, shared: UInt64) = (0, 0, 0)

    /// Hosts name their stages: one that names too many does not fill the memory.
    private static let stagesCounted = 100

    private static let long: [Double] = [0.01, 0.03, 0.1, 0.3, 1, 3, 10, 30, 100, 300]
    private static let short: [Double] = [
        1e-5, 3e-5, 1e-4, 3e-4, 1e-3, 3e-3, 0.01, 0.03, 0.1, 0.3, 1, 3,
    ]
    /// Early ones, too: a machine that stopped before its instant is worth knowing of.
    private static let aroundZero: [Double] = [-1e-3, -1e-4, 0] + short

    mutating func record(_ report: OperationReport) {
        let kind = report.kind
        ended[Ended(kind: kind, outcome: report.outcome), default: 0] += 1
        if let finished = report.finished {
            durations[kind, default: Histogram(bounds: Self.long)].observe((finished - report.started).seconds)
        }
        for stage in report.stages + report.machines.flatMap(\.stages) {
            var key = StageOf(kind: kind, name: stage.name)
            if stages[key] == nil, stages.count >= Self.stagesCounted { key = StageOf(kind: kind, name: "other") }
            stages[key, default: Histogram(bounds: Self.short + [10, 30, 100])].observe(stage.duration.seconds)
        }
        for machine in report.machines {
            if let late = machine.lateness {
                lateness[kind, default: Histogram(bounds: Self.aroundZero)].observe(late.seconds)
            }
            if let pause = machine.pause {
                var counted = pauses ?? Histogram(bounds: Self.short)
                counted.observe(pause.seconds)
                pauses = counted
            }
            if report.outcome == .done, let ram = machine.ram, let bytes = ram.bytes {
                ramBytes[kind, default: [:]][ram.way, default: 0] &+= bytes
            }
        }
        if let spread = report.spread {
            spreads[kind, default: Histogram(bounds: Self.short)].observe(spread.seconds)
        }
        clockErrorBound = report.clockErrorBound ?? clockErrorBound
    }

    var families: [MetricFamily] {
        [endings, all(durations, Self.durationHelp), stageDurations, all(lateness, Self.latenessHelp)]
            + [all(spreads, Self.spreadHelp), pause, bytes, transfers, bound]
    }

    private typealias Help = (name: String, text: String)
    private static let durationHelp: Help = (
        "fermata_operation_duration_seconds", "From the beginning of an operation to its end."
    )
    private static let latenessHelp: Help = (
        "fermata_machine_lateness_seconds", "QEMU's own STOP or RESUME stamp of a machine minus the agreed instant."
    )
    private static let spreadHelp: Help = (
        "fermata_operation_spread_seconds", "From the first to the last of the machines' stamps of one operation."
    )

    private var endings: MetricFamily {
        var family = MetricFamily(
            "fermata_operations_total",
            .counter,
            "Operations that ended, by what they were and how."
        )
        for kind in OperationKind.allCases {
            for outcome in OperationOutcome.allCases {
                family.add(
                    Double(ended[Ended(kind: kind, outcome: outcome)] ?? 0),
                    MetricLabel("kind", kind.rawValue),
                    MetricLabel("outcome", outcome.rawValue)
                )
            }
        }
        return family
    }

    private func all(_ histograms: [OperationKind: Histogram], _ help: Help) -> MetricFamily {
        var family = MetricFamily(help.name, .histogram, help.text)
        for kind in OperationKind.allCases {
            if let histogram = histograms[kind] { family.add(histogram, MetricLabel("kind", kind.rawValue)) }
        }
        return family
    }

    private var stageDurations: MetricFamily {
        var family = MetricFamily(
            "fermata_stage_duration_seconds",
            .histogram,
            "Steps of operations, of a machine or a host."
        )
        for (key, histogram) in stages.sorted(by: {
            ($0.key.kind.rawValue, $0.key.name) < ($1.key.kind.rawValue, $1.key.name)
        }) {
            family.add(histogram, MetricLabel("kind", key.kind.rawValue), MetricLabel("stage", key.name))
        }
        return family
    }

    private var pause: MetricFamily {
        var family = MetricFamily(
            "fermata_checkpoint_pause_seconds",
            .histogram,
            "How long a machine stood still while a checkpoint was made of it."
        )
        if let pauses { family.add(pauses) }
        return family
    }

    private var bytes: MetricFamily {
        var family = MetricFamily("fermata_ram_bytes_total", .counter, "RAM that was saved, handed over or loaded.")
        for kind in OperationKind.allCases {
            for way in RAMWay.allCases {
                guard let bytes = ramBytes[kind]?[way] else { continue }
                family.add(Double(bytes), MetricLabel("kind", kind.rawValue), MetricLabel("way", way.rawValue))
            }
        }
        return family
    }

    private var transfers: MetricFamily {
        var family = MetricFamily(
            "fermata_transfer_bytes_total",
            .counter,
            "Files of checkpoints that went from host to host: by themselves, through the control instance, or by a shared folder."
        )
        family.add(Double(transferred.direct), MetricLabel("way", "direct"))
        family.add(Double(transferred.relayed), MetricLabel("way", "relayed"))
        family.add(Double(transferred.shared), MetricLabel("way", "shared"))
        return family
    }

    private var bound: MetricFamily {
        var family = MetricFamily(
            "fermata_operation_clock_error_bound_seconds",
            .gauge,
            "How far the clocks of the hosts may be apart, of the last operation that knew it."
        )
        if let clockErrorBound { family.add(clockErrorBound.seconds) }
        return family
    }
}
