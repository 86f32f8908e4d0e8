import Time

extension RTCBase: Codable {
    private enum CodingKeys: String, CodingKey { case atNs }

    public init(from decoder: any Decoder) throws {
        if let container = try? decoder.container(keyedBy: CodingKeys.self) {
            self = .instant(try container.decode(HostInstant.self, forKey: .atNs))
            return
        }
        let container = try decoder.singleValueContainer()
        switch try container.decode(String.self) {
        case "utc": self = .utc
        case "localtime": self = .localtime
        case let other:
            throw DecodingError.dataCorruptedError(
                in: container,
                debugDescription: "'\(other)' is no RTC base: utc, localtime or an object with atNs"
            )
        }
    }

    public func encode(to encoder: any Encoder) throws {
        switch self {
        case .utc: try encode("utc", to: encoder)
        case .localtime: try encode("localtime", to: encoder)
        case .instant(let instant):
            var container = encoder.container(keyedBy: CodingKeys.self)
            try container.encode(instant, forKey: .atNs)
        }
    }

    private func encode(_ word: String, to encoder: any Encoder) throws {
        var container = encoder.singleValueContainer()
        try container.encode(word)
    }
}
