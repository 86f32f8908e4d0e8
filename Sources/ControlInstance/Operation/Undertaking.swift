/// An operation that can begin: what is recorded of it, and what does it.
struct Undertaking: Sendable {
    var record: OperationRecord
    var run: @Sendable (LiveOperation) async -> OperationReport
}
