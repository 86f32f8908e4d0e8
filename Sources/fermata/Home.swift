import FoundationEssentials
import Glibc

/// The folder in which this user's fermata keeps its state, and the names in it that the command line shares with the daemon.
struct Home: Hashable, Sendable {
    /// Absolute.
    let path: String

    init(path: String) { self.path = path }

    /// `FERMATA_HOME`, else `$XDG_STATE_HOME/fermata`, else `~/.local/state/fermata`.
    init(environment: [String: String], workingDirectory: String) throws {
        if let named = environment["FERMATA_HOME"], !named.isEmpty {
            // The daemon runs in another working directory: a relative name would be another folder there.
            path = named.hasPrefix("/") ? named : "\(workingDirectory)/\(named)"
        } else if let state = environment["XDG_STATE_HOME"], state.hasPrefix("/") {
            path = "\(state)/fermata"
        } else if let home = environment["HOME"], home.hasPrefix("/") {
            path = "\(home)/.local/state/fermata"
        } else {
            throw CommandFailure(
                .usage,
                code: "no-home",
                "there is no folder to keep state in: set FERMATA_HOME (or HOME) to an absolute path"
            )
        }
    }

    var socket: String { "\(path)/control.sock" }
    var daemonLog: String { "\(path)/daemon.log" }
    /// Held by a daemon for as long as it lives.
    var daemonLock: String { "\(path)/daemon.lock" }
    /// Held by a client while it starts a daemon, so that two at once start one.
    var startLock: String { "\(path)/start.lock" }

    /// - Throws: when it cannot be made, is another user's, or others may write to it: what lies there says which commands
    ///   are run (a simulation's resources) and which processes are ended.
    func create() throws {
        do {
            try FileManager.default.createDirectory(
                atPath: path,
                withIntermediateDirectories: true,
                attributes: [.posixPermissions: 0o700]
            )
        } catch {
            throw CommandFailure(
                .failed,
                code: "home-not-writable",
                "the state folder \(path) cannot be made (\(SystemError.text(of: error))): set FERMATA_HOME to a folder of yours"
            )
        }
        var status = stat()
        guard stat(path, &status) == 0 else { throw notPrivate("cannot be looked at (\(SystemError.text(errno)))") }
        guard status.st_uid == geteuid() else { throw notPrivate("belongs to another user") }
        guard status.st_mode & 0o022 == 0 else {
            throw notPrivate("can be written by others: take that right away with 'chmod go-w \(path)'")
        }
    }

    private func notPrivate(_ what: String) -> CommandFailure {
        CommandFailure(
            .failed,
            code: "home-not-private",
            "the state folder \(path) \(what); or set FERMATA_HOME to a folder of yours"
        )
    }

    /// The folder by its one true name, whatever way led to it: names in it are compared with what the kernel tells of
    /// processes, and with names that were written down at an earlier start.
    /// - Throws: when it is not there.
    func canonical() throws -> Home {
        guard let resolved = realpath(path, nil) else {
            throw notPrivate("cannot be looked at (\(SystemError.text(errno)))")
        }
        defer { free(resolved) }
        return Home(path: String(cString: resolved))
    }
}
