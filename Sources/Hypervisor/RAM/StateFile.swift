import Glibc
import HypervisorAPI

/// Opening the file that a machine's state goes into or comes from.
enum StateFile {
    /// Fails when there is one already: a checkpoint is never written over.
    static func create(_ path: String) throws(HypervisorError) -> OwnedDescriptor {
        try open(path, O_WRONLY | O_CREAT | O_EXCL)
    }

    static func open(_ path: String, _ flags: Int32 = O_RDONLY) throws(HypervisorError) -> OwnedDescriptor {
        let descriptor = Glibc.open(path, flags | O_CLOEXEC, 0o600)
        guard descriptor >= 0 else {
            throw HypervisorError(
                code: "file-failed",
                message: "cannot open \(path): \(String(cString: strerror(errno)))"
            )
        }
        return OwnedDescriptor(descriptor)
    }
}
