import ArgumentParser
import ControlInstance
import Time

/// `--at` or `--in`: when an operation shall happen.
struct InstantOptions: ParsableArguments {
    // Unconditional: a mistaken '--in -5s' shall be answered with what is wrong about it, not with "missing value".
    @Option(
        name: .customLong("at"),
        parsing: .unconditional,
        help: ArgumentHelp(
            "The instant, ISO 8601; local time unless it has a zone, e.g. 2026-12-31T23:59:50Z.",
            valueName: "time"
        ),
        transform: { try InstantOptions.instant($0) }
    )
    var instant: HostInstant?

    @Option(
        name: .customLong("in"),
        parsing: .unconditional,
        help: ArgumentHelp("The instant, from now: 250us, 40ms, 2s, 5m, 3h, 1h30m.", valueName: "duration"),
        transform: { try InstantOptions.span($0) }
    )
    var span: Span?

    var when: When {
        if let instant { return .at(instant) }
        if let span { return .in(span) }
        return .asap
    }

    func validate() throws {
        if instant != nil, span != nil { throw ValidationError("Give --at or --in, not both.") }
        if let span, span < .zero {
            throw ValidationError("--in counts from now on: '\(span)' is before now, and nothing can be done then.")
        }
    }

    private static func instant(_ text: String) throws -> HostInstant {
        do {
            return try HostInstant(parsing: text)
        } catch {
            throw ValidationError(error.description)
        }
    }

    private static func span(_ text: String) throws -> Span {
        do {
            return try Span(parsing: text)
        } catch {
            throw ValidationError(error.description)
        }
    }
}
