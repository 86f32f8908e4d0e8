import ArgumentParser
import Console
import FoundationEssentials
import NIOHTTP1

struct WebConsole: Verb {
    static let configuration = CommandConfiguration(
        commandName: "console",
        abstract: "Print a link to the web console of the control instance, for one browser.",
        discussion: """
            The console listens on this host's loopback alone. A link lets one browser in, once, within five minutes; the \
            browser stays in until it has been silent for 8 hours, at most a day, or until the daemon ends. From another \
            computer, take the port along:

              ssh -L PORT:127.0.0.1:PORT HOST
            """
    )

    @Flag(help: "Open it in this desktop's browser, too (xdg-open).")
    var open = false

    @OptionGroup var global: GlobalOptions

    func perform(_ session: Session) async throws {
        _ = try session.localSocket(for: "the web console lets in browsers of the host whose UNIX socket is asked")
        let answer = try Received<ConsoleAnswer>(try await session.client().send(.POST, "/v1/console"))
        session.show(answer) { session.terminal.print($0.url) }
        if open { try DesktopBrowser.open(answer.value.url, environment: session.environment) }
    }
}
