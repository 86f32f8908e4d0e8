import Glibc

public enum ControlSocketError: Error, Hashable, Sendable, CustomStringConvertible {
    case pathTooLong(String)
    case notASocket(String)
    case foreignFolder(String)
    case openFolder(String)
    case foreignSocket(String)
    case inUse(String)
    /// What could not be done, to what, `errno`.
    case system(String, String, Int32)

    public var description: String {
        switch self {
        case .pathTooLong(let path):
            "the path of the control socket is longer than \(ControlSocket.longestPath) bytes: \(path); "
                + "set FERMATA_HOME to a shorter one"
        case .notASocket(let path):
            "\(path) should be fermata's control socket but is another kind of file: move it away"
        case .foreignFolder(let folder):
            "the folder \(folder) belongs to another user: set FERMATA_HOME to a folder of yours"
        case .openFolder(let folder):
            "others may write to the folder \(folder), and so put a socket of theirs in the place of the control socket: "
                + "take that right away with 'chmod go-w \(folder)', or use another folder"
        case .foreignSocket(let path):
            "\(path) belongs to another user: use another path for the control socket"
        case .inUse(let path):
            "a daemon already answers on \(path): use it, or end it with 'fermata serve --stop'"
        case .system(let action, let path, let code):
            "cannot \(action) \(path): \(String(cString: strerror(code)))"
        }
    }
}
