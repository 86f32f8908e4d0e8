public import Time

/// When an operation shall happen. Encodes as `{}`, `{"atNs": …}` or `{"inNs": …}`.
public enum When: Hashable, Sendable {
    /// As soon as every hypervisor can.
    case asap
    case at(HostInstant)
    /// That long after the request arrived.
    case `in`(Span)
}

extension When: Codable {
    private enum CodingKeys: String, CodingKey {
        case at = "atNs"
        case `in` = "inNs"
    }

    public init(from decoder: any Decoder) throws {
        let container = try decoder.container(keyedBy: CodingKeys.self)
        let at = try container.decodeIfPresent(HostInstant.self, forKey: .at)
        let span = try container.decodeIfPresent(Span.self, forKey: .in)
        switch (at, span) {
        case (nil, nil): self = .asap
        case (let at?, nil): self = .at(at)
        case (nil, let span?): self = .in(span)
        default:
            throw DecodingError.dataCorrupted(
                DecodingError.Context(
                    codingPath: container.codingPath,
                    debugDescription: "either atNs or inNs, not both"
                )
            )
        }
    }

    public func encode(to encoder: any Encoder) throws {
        var container = encoder.container(keyedBy: CodingKeys.self)
        switch self {
        case .asap: break
        case .at(let instant): try container.encode(instant, forKey: .at)
        case .in(let span): try container.encode(span, forKey: .in)
        }
    }
}
