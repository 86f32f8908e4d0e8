import CShims
import Glibc
import Testing

/// What has to be told beside a test's own result.
enum Notice {
    /// In a test: an issue that does not make it fail.
    static func warn(_ text: String, at location: SourceLocation? = nil) {
        guard let test = Test.current else {
            fputs("fermata: \(text)\n", fermata_stderr())
            return
        }
        Issue.record(Comment(rawValue: text), severity: .warning, sourceLocation: location ?? test.sourceLocation)
    }
}
