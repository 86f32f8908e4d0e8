import Glibc

/// What an agent's owner allows has to be there when it starts: a mistyped path would otherwise be found out by the first machine that is
/// refused, on another host.
enum AllowedPath {
    /// - Throws: a failure of usage for the first that is not there, or is of the wrong kind.
    static func check(binaries: [String], folders: [String], shared: [String]) throws {
        for path in folders { try requireFolder(path, option: "--files") }
        for path in shared { try requireFolder(path, option: "--shared") }
        for path in binaries {
            if path.hasSuffix("/") {
                try requireFolder(path, option: "--qemu")
            } else if try kind(of: path, option: "--qemu") != S_IFREG || access(path, X_OK) != 0 {
                let isFolder = try kind(of: path, option: "--qemu") == S_IFDIR
                throw failure("--qemu", path, isFolder ? "is a folder: end it in '/'" : "is no program that can be run")
            }
        }
    }

    private static func requireFolder(_ path: String, option: String) throws {
        guard try kind(of: path, option: option) == S_IFDIR else { throw failure(option, path, "is no folder") }
    }

    private static func kind(of path: String, option: String) throws -> mode_t {
        var status = stat()
        guard stat(path, &status) == 0 else {
            throw failure(option, path, "cannot be used: \(SystemError.text(errno))")
        }
        return status.st_mode & S_IFMT
    }

    private static func failure(_ option: String, _ path: String, _ what: String) -> CommandFailure {
        CommandFailure(.usage, code: "agent-failed", "\(option): \(path) \(what)")
    }
}
