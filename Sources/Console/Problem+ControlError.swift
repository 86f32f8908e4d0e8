public import ControlInstance
import HypervisorAPI

extension Problem {
    public init(_ error: ControlError) {
        self.init(
            code: error.reasons.first?.code ?? "failed",
            detail: error.description,
            status: Self.status(of: error),
            reasons: error.reasons,
            exitCode: error.exitCode
        )
    }

    private static func status(of error: ControlError) -> Int {
        if error.isNotFound { return 404 }
        switch error.exitCode {
        case 2: return 400
        // Refused, too late to cancel, clocks: the state of things forbids it now.
        case 3, 4, 7, 130: return 409
        // A corrupt checkpoint is there, and cannot be worked on.
        case 6: return 422
        default: return 500
        }
    }
}
