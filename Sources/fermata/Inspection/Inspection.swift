import GuestClock
import MigrationStream

/// What a checkpoint file has in it.
struct Inspection {
    let stream: CheckpointStream
    let clocks: [ClockReading]
    /// Set when the sections can be told and the clocks cannot.
    let clockFailure: CommandFailure?

    init(path: String) throws {
        let source: FileSource
        do throws(StreamError) {
            source = try FileSource(path: path)
            stream = try CheckpointStream(reading: source)
        } catch {
            // A file that cannot be opened says nothing about checkpoints.
            let unreadable = error.kind == .ioFailure
            throw CommandFailure(
                unreadable ? .failed : .corrupt,
                code: unreadable ? "file-not-readable" : "checkpoint-corrupt",
                "\(path): \(error)"
            )
        }
        do throws(ClockError) {
            clocks = try GuestClocks(stream: stream, source: source).state.readings
            clockFailure = nil
        } catch {
            clocks = []
            clockFailure = CommandFailure(
                .corrupt,
                code: "clocks-not-readable",
                "the clocks of \(path) cannot be read: \(error)"
            )
        }
    }

    func write(_ terminal: Terminal) {
        let machine = stream.machineType ?? "a machine that it does not name"
        terminal.print(
            "\(stream.format.rawValue) checkpoint of \(terminal.out.apply(.strong, machine)), "
                + "\(TimeText.bytes(stream.size)), device state from byte \(stream.deviceStateOffset) on"
        )
        if !stream.capabilities.isEmpty {
            terminal.print("capabilities: \(stream.capabilities.joined(separator: ", "))")
        }
        for block in stream.ramBlocks { terminal.print("RAM \(block.name): \(TimeText.bytes(block.length))") }
        if stream.method == .sequential {
            terminal.print("it has no description of itself: sections were found by reading it from the beginning")
        }
        var sections = Table(
            .right("OFFSET"),
            .right("SIZE"),
            .left("SECTION"),
            .right("INSTANCE"),
            .right("VERSION"),
            .left("STATE DESCRIPTION")
        )
        for section in stream.sections {
            sections.add(
                Table.Cell("\(section.offset)"),
                Table.Cell("\(section.size)"),
                Table.Cell(section.idstr),
                Table.Cell("\(section.instance)"),
                Table.Cell("\(section.version)"),
                Table.Cell(section.vmsdName == section.idstr ? "" : section.vmsdName)
            )
        }
        terminal.print()
        terminal.print(sections)
        guard !clocks.isEmpty else { return }
        var table = ClockText.table
        for reading in clocks { ClockText.add(reading, machine: "", to: &table) }
        terminal.print()
        terminal.print(table)
    }
}
