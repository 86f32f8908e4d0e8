import CShims
import FoundationEssentials
import Glibc

/// The browser of the desktop that a verb was typed on.
enum DesktopBrowser {
    /// Returns at once; what becomes of it is the desktop's.
    static func open(_ url: String, environment: [String: String]) throws {
        let folders = (environment["PATH"] ?? "").split(separator: ":").map { "\($0)/xdg-open" }
        guard let program = folders.first(where: { access($0, X_OK) == 0 }) else {
            throw CommandFailure(
                .failed,
                code: "no-browser",
                "there is no xdg-open in PATH that could open a browser: open the link yourself"
            )
        }
        let arguments = CStringArray([program, url])
        let variables = CStringArray(environment.map { "\($0)=\($1)" })
        var options = fermata_spawn_options()
        options.standard_input = -1
        options.standard_output = -1
        options.standard_error = -1
        options.new_session = 1
        var process: pid_t = 0
        var pidfd: Int32 = -1
        let result = fermata_spawn(program, arguments.pointer, variables.pointer, &options, &process, &pidfd, nil)
        guard result == 0 else {
            throw CommandFailure(
                .failed,
                code: "no-browser",
                "\(program) cannot be started (\(SystemError.text(-result))): open the link yourself"
            )
        }
        close(pidfd)
    }
}
