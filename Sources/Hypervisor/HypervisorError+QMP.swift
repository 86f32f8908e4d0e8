import HypervisorAPI
import QMP

extension HypervisorError {
    init(_ error: QMPError, machine: String? = nil) {
        self.init(code: "monitor-failed", machine: machine, message: "\(error)")
    }

    /// The same reasons, said of that machine where they named none.
    func of(_ machine: String) -> HypervisorError {
        HypervisorError(reasons.map { Reason(code: $0.code, machine: $0.machine ?? machine, message: $0.message) })
    }
}
