import Archive
import HypervisorAPI

extension ControlError {
    /// - Parameter title: the checkpoint that was read or made.
    init(_ error: any Error, of title: String) {
        guard let error = error as? ArchiveError else {
            self = (error as? ControlError) ?? ControlError(code: "internal", message: "\(title): \(error)")
            return
        }
        switch error.code {
        case .corrupt: self.init(code: "archive-corrupt", message: error.message, exitCode: 6)
        case .incompatible: self.init(code: "archive-incompatible", message: error.message, exitCode: 6)
        case .source: self.init(code: "checkpoint-corrupt", message: "checkpoint \(title) is corrupt: \(error)")
        case .storage: self.init(code: "file-failed", message: error.message)
        case .noSpace: self.init(code: "no-space", message: error.message)
        case .cut: self.init(code: "archive-cut", message: error.message)
        }
    }
}
