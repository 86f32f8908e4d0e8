public import HypervisorAPI

/// An error as the API tells it: `application/problem+json` (RFC 9457) with a stable code, every reason, and what the
/// command line ends with for it.
public struct Problem: Error, Codable, Hashable, Sendable, CustomStringConvertible {
    /// Kebab-case; listed in docs/errors.md.
    public var code: String
    /// A sentence: what happened, to what, what to do.
    public var detail: String
    /// Of the HTTP response; 0 for a problem that never was one.
    public var status: Int
    public var reasons: [Reason]
    /// As in the outside contract: 1 failed, 2 usage, 3 refused, 4 missed, 5 unknown, 6 corrupt, 7 clocks, 130 cancelled.
    public var exitCode: Int

    public init(code: String, detail: String, status: Int = 0, reasons: [Reason] = [], exitCode: Int) {
        self.code = code
        self.detail = detail
        self.status = status
        self.reasons = reasons
        self.exitCode = exitCode
    }

    public var description: String { detail }

    private enum CodingKeys: String, CodingKey {
        case code, detail, status, reasons, exitCode
    }

    public init(from decoder: any Decoder) throws {
        let container = try decoder.container(keyedBy: CodingKeys.self)
        code = try container.decode(String.self, forKey: .code)
        detail = try container.decode(String.self, forKey: .detail)
        status = try container.decodeIfPresent(Int.self, forKey: .status) ?? 0
        reasons = try container.decodeIfPresent([Reason].self, forKey: .reasons) ?? []
        exitCode = try container.decodeIfPresent(Int.self, forKey: .exitCode) ?? 1
    }
}
