import FoundationEssentials
import Glibc

/// The token that a control instance over TLS asks for: from the environment or a file, never from the command line, which everybody on
/// this host can read.
enum BearerToken {
    /// `FERMATA_TOKEN`, else what is in the file that `FERMATA_TOKEN_FILE` names.
    static func find(_ environment: [String: String]) throws(CommandFailure) -> String {
        if let text = environment["FERMATA_TOKEN"], !text.isEmpty { return try checked(text, "FERMATA_TOKEN") }
        if let path = environment["FERMATA_TOKEN_FILE"], !path.isEmpty { return try checked(try read(path), path) }
        throw CommandFailure(
            .usage,
            code: "token-missing",
            "a control instance over https asks for a token: set FERMATA_TOKEN, or FERMATA_TOKEN_FILE to a file with it; "
                + "'fermata token create' on its host makes one"
        )
    }

    private static func read(_ path: String) throws(CommandFailure) -> String {
        let descriptor = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK)
        guard descriptor >= 0 else { throw unusable(path, "cannot be opened: \(SystemError.text(errno))") }
        defer { close(descriptor) }
        var status = stat()
        guard fstat(descriptor, &status) == 0, status.st_mode & S_IFMT == S_IFREG else {
            throw unusable(path, "is no regular file")
        }
        guard status.st_uid == geteuid() || status.st_uid == 0 else { throw unusable(path, "belongs to another user") }
        guard status.st_mode & 0o077 == 0 else {
            throw unusable(path, "can be read by others: 'chmod 600 \(path)', and another token if they did")
        }
        var bytes = [UInt8](repeating: 0, count: 4096)
        let count = Glibc.read(descriptor, &bytes, bytes.count)
        guard count >= 0 else { throw unusable(path, "cannot be read: \(SystemError.text(errno))") }
        let text = String(decoding: bytes[..<count], as: UTF8.self)
        return String(text.drop { $0.isWhitespace }.prefix { !$0.isWhitespace })
    }

    /// What no token has in it would be something else in a header.
    private static func checked(_ text: String, _ place: String) throws(CommandFailure) -> String {
        guard !text.isEmpty, text.utf8.count <= 200, text.utf8.allSatisfy({ (0x21...0x7e).contains($0) }) else {
            throw unusable(place, "holds no token such as 'fermata token create' prints")
        }
        return text
    }

    private static func unusable(_ place: String, _ why: String) -> CommandFailure {
        CommandFailure(.usage, code: "token-unusable", "\(place) \(why)")
    }
}
