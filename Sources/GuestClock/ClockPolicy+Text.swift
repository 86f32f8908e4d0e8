import Time

extension ClockPolicy: CustomStringConvertible {
    /// Reads `continue`, `host`, `+90s`, `-5m`, `at=2026-12-31T23:59:50Z`. An offset has a sign, so that nobody takes it
    /// for a time.
    ///
    /// - Throws: ``ClockError/invalidPolicy(_:problem:)``.
    public init(text: String) throws(ClockError) {
        do {
            switch text {
            case "continue": self = .continue
            case "host": self = .host
            case _ where text.hasPrefix("+") || text.hasPrefix("-"): self = .offset(try Span(parsing: text))
            case _ where text.hasPrefix("at="): self = .at(try HostInstant(parsing: String(text.dropFirst(3))))
            default: throw TimeProblem.neither
            }
        } catch let error as TimeTextError {
            throw .invalidPolicy(text, problem: error.problem)
        } catch {
            throw .invalidPolicy(text, problem: "it is none of the forms that there are")
        }
    }

    /// The text that ``init(text:)`` reads back.
    public var description: String {
        switch self {
        case .continue: "continue"
        case .host: "host"
        case .offset(let span): span < .zero ? "\(span)" : "+\(span)"
        case .at(let instant): "at=\(instant)"
        }
    }

    private enum TimeProblem: Error { case neither }
}

extension ClockPolicy: Codable {
    public init(from decoder: any Decoder) throws {
        let container = try decoder.singleValueContainer()
        let text = try container.decode(String.self)
        do {
            try self.init(text: text)
        } catch {
            throw DecodingError.dataCorruptedError(in: container, debugDescription: error.description)
        }
    }

    public func encode(to encoder: any Encoder) throws {
        var container = encoder.singleValueContainer()
        try container.encode(description)
    }
}
