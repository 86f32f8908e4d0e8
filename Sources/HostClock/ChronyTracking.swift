public import Time

/// What chronyd says of the host's clock: `chronyc -c -n tracking`, a line of fourteen fields (chrony 4.3, client.c).
public struct ChronyTracking: Hashable, Sendable {
    /// What it follows: a name or an address; empty when that is a clock of its own.
    public var source: String
    public var stratum: Int
    /// How far the clock is from chrony's estimate of true time, at most: what is left to correct, half of the root delay, and the root
    /// dispersion. nil: chrony follows nothing.
    public var maximumError: Span?

    private static let fields = 14

    /// - Parameter line: as chronyc printed it; nil when it is something else.
    public init?(_ line: some StringProtocol) {
        let values = line.split(separator: ",", omittingEmptySubsequences: false)
        guard values.count == Self.fields, let stratum = Int(values[2]), (0...16).contains(stratum),
            let offset = Self.span(values[4]), let delay = Self.span(values[10]), let dispersion = Self.span(values[11])
        else { return nil }
        source = String(values[1])
        self.stratum = stratum
        maximumError =
            values[13] == "Not synchronised"
            ? nil : Span(nanoseconds: offset.nanoseconds + delay.nanoseconds / 2 + dispersion.nanoseconds)
    }

    /// A number of seconds, its sign left out; nil when it is none, or more than a day.
    private static func span(_ seconds: some StringProtocol) -> Span? {
        guard let number = Double(seconds), abs(number) <= 86_400 else { return nil }
        return Span(nanoseconds: Int64((abs(number) * 1e9).rounded(.up)))
    }
}
