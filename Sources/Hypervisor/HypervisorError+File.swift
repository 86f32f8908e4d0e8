import Glibc
import HypervisorAPI

extension HypervisorError {
    /// What a system call on a file said.
    /// - Parameters:
    ///   - verb: what could not be done, e.g. `create`.
    ///   - number: errno.
    static func file(_ verb: String, _ path: String, _ number: Int32 = errno) -> HypervisorError {
        HypervisorError(code: "file-failed", message: "cannot \(verb) \(path): \(String(cString: strerror(number)))")
    }
}
