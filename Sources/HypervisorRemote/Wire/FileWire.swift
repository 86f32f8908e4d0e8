import HypervisorAPI

/// Files of checkpoints on the wire: `GET` with `Range: bytes=OFFSET-` is answered with the next piece at or behind it, `PUT` with
/// `Content-Range` puts one to its place.
enum FileWire {
    static let path = "/v\(WireFormat.version)/files/"

    static func range(from offset: UInt64) -> String { "bytes=\(offset)-" }

    static func offset(of range: String) throws(HypervisorError) -> UInt64 {
        if let match = range.wholeMatch(of: /bytes=([0-9]+)-/), let offset = UInt64(match.1) { return offset }
        throw HypervisorError(
            code: "message-invalid",
            message: "'\(range.prefix(80))' is not where in a file to begin: bytes=OFFSET-"
        )
    }
}
