import Time

extension RTCBase: Codable {
    public init(from decoder: any Decoder) throws {
        let container = try decoder.singleValueContainer()
        if let nanoseconds = try? container.decode(Int64.self) {
            self = .instant(HostInstant(nanosecondsSinceEpoch: nanoseconds))
            return
        }
        switch try container.decode(String.self) {
        case "utc": self = .utc
        case "localtime": self = .localtime
        case let other:
            throw DecodingError.dataCorruptedError(
                in: container,
                debugDescription: "'\(other)' is no RTC base: utc, localtime or nanoseconds since the epoch"
            )
        }
    }

    public func encode(to encoder: any Encoder) throws {
        var container = encoder.singleValueContainer()
        switch self {
        case .utc: try container.encode("utc")
        case .localtime: try container.encode("localtime")
        case .instant(let instant): try container.encode(instant)
        }
    }
}
