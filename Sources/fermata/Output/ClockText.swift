import ControlInstance
import GuestClock
import Time

/// The clocks of machines as a table.
struct ClockText {
    private let report: ClockReport

    init(_ report: ClockReport) { self.report = report }

    func write(_ terminal: Terminal) {
        let isLive = report.checkpoint == nil
        var table = Self.table
        for machine in report.machines {
            for (index, reading) in machine.clock.readings.enumerated() {
                Self.add(reading, machine: index == 0 ? machine.name : "", to: &table)
            }
            if machine.clock.readings.isEmpty {
                table.add(Table.Cell(machine.name), Table.Cell("no clock can be read"))
            }
        }
        terminal.print(table)
        terminal.print()
        for machine in report.machines {
            let paused =
                machine.pause > .zero
                ? ", stood still for \(TimeText.span(machine.pause)) for it" : isLive ? ", without stopping it" : ""
            let verb = isLive ? "read" : "stopped"
            terminal.print(
                terminal.out.apply(.faint, "\(machine.name): \(verb) at \(TimeText.local(machine.readAt))\(paused)")
            )
            for note in machine.notes { terminal.print(terminal.out.apply(.warning, "note: \(machine.name): \(note)")) }
        }
    }

    static var table: Table {
        Table(
            .left("MACHINE"),
            .left("CLOCK"),
            .left("KIND"),
            .left("READS"),
            .left("STEP"),
            .left("SETTABLE"),
            .left("ALARM")
        )
    }

    static func add(_ reading: ClockReading, machine: String, to table: inout Table) {
        let instance = reading.instance == 0 ? "" : " #\(reading.instance)"
        table.add(
            Table.Cell(machine, .strong),
            Table.Cell(reading.device + instance),
            Table.Cell(reading.kind.rawValue),
            Table.Cell(reads(reading)),
            Table.Cell("\(Span(nanoseconds: reading.resolutionNs))"),
            reading.controllable
                ? Table.Cell("yes", .good) : Table.Cell("no" + (reading.reason.map { ": \($0)" } ?? ""), .warning),
            Table.Cell(reading.alarms.map { value($0.firesAtNs, reading.epoch) }.joined(separator: ", "))
        )
    }

    static func reads(_ reading: ClockReading) -> String {
        guard let nanoseconds = reading.readsNs else { return "unknown" }
        return value(nanoseconds, reading.epoch)
    }

    private static func value(_ nanoseconds: Int64, _ epoch: ClockReading.Epoch) -> String {
        switch epoch {
        case .unix: TimeText.guest(nanoseconds, fraction: 6)
        case .boot: "\(TimeText.seconds(nanoseconds)) s since boot"
        }
    }
}
