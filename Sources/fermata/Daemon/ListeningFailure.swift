import Glibc
import NIOCore

/// Why nobody can listen there, and what to do.
enum ListeningFailure {
    static func text(_ error: any Error, address: String, port: Int) -> String {
        if error is SocketAddressError || error is SocketAddressError.UnknownHost {
            return "'\(address)' is neither an address nor a name that this host knows"
        }
        guard let code = (error as? IOError)?.errnoCode else { return "\(error)" }
        return switch code {
        case EADDRINUSE:
            "another process listens there ('ss -ltnp' names it): end it, or take another port with --listen"
        case EADDRNOTAVAIL:
            "this host has no such address ('ip address' lists its own): name one of them, or 0.0.0.0 for all"
        case EACCES: "ports below 1024 are not for every user: take another one with --listen"
        default: SystemError.text(code)
        }
    }
}
