import Time

/// What `gc` sends; fields that are nil are left out.
struct GarbageBody: Encodable {
    var simulation: String?
    var dryRun: Bool?
    var keep: Int?
    var olderThanNs: Span?
    var all: Bool?
}
