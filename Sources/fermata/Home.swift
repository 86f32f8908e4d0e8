import FoundationEssentials

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

    /// - Throws: when it cannot be made, or is another user's.
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
    }
}
