import Console

/// When and where a daemon opens the web console.
enum ConsoleOpening {
    /// - Parameters:
    ///   - port: what the command line says; nil: nothing.
    ///   - isWatched: somebody started the daemon by hand, and sees a link that it prints.
    static func of(port: Int?, _ environment: [String: String], isWatched: Bool) throws -> BrowserEntrance.Opening {
        if let port { return .atOnce(port: port) }
        let text = environment["FERMATA_CONSOLE"] ?? ""
        if text == "off" { return .off }
        guard !text.isEmpty else { return isWatched ? .atOnce(port: 0) : .onDemand }
        guard let port = UInt16(text) else {
            throw CommandFailure(
                .usage,
                code: "console-invalid",
                "FERMATA_CONSOLE is '\(text)': write 'off', or a port of 127.0.0.1 for the web console"
            )
        }
        return .atOnce(port: Int(port))
    }
}
