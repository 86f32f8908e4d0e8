import FoundationEssentials
import Glibc
import JSON

/// A control instance that serves its API over TLS, and a client with a state folder of its own.
struct RemoteLab: Sendable {
    let home: CLIHome
    let port: Int
    /// Of the control instance's environment; the daemon is started by its own owner, as always.
    private let settings: [String: String]

    /// - Parameters:
    ///   - listen: without a port.
    ///   - addresses: of its certificate, beside the name "desk".
    ///   - settings: of the control instance's environment.
    static func open(
        in home: CLIHome,
        listen: String = "127.0.0.1",
        addresses: [String] = ["localhost", "127.0.0.1"],
        settings: [String: String] = [:]
    ) async throws -> RemoteLab {
        let settings = settings.merging(["FERMATA_LISTEN": "\(listen):0"]) { $1 }
        for arguments in [
            ["pki", "init"], ["pki", "issue", "control", "desk"] + addresses.flatMap { ["--address", $0] }, ["ps"],
        ] {
            let run = try await CLIRun.fermata(arguments, in: home, environment: settings)
            guard run.status == 0 else { throw CLIError("'\(arguments.joined(separator: " "))': \(run.errors)") }
        }
        var port: Int?
        try await FaultLab.wait(for: "the API's port") {
            let line = home.log.split(separator: "\n").last { $0.contains("API open") }
            port = line?.firstMatch(of: /port=(\d+)/).flatMap { Int($0.1) }
            return port != nil
        }
        return RemoteLab(home: home, port: port ?? 0, settings: settings)
    }

    var url: String { "https://localhost:\(port)" }
    var authority: String { "\(home.path)/pki/ca.pem" }

    /// At the control instance's own socket.
    func owner(_ arguments: String...) async throws -> CLIRun {
        try await CLIRun.fermata(arguments, in: home, environment: settings)
    }

    func token(_ name: String, _ role: String, _ more: String...) async throws -> String {
        let run = try await CLIRun.fermata(
            ["token", "create", name, "--role", role, "--json"] + more,
            in: home,
            environment: settings
        )
        guard run.status == 0, let token = try JSONValue(parsing: run.output)["token"]?.stringValue else {
            throw CLIError("no token: \(run.output)\(run.errors)")
        }
        return token
    }

    /// What a client elsewhere has in its environment.
    func environment(_ token: String?) -> [String: String] {
        var environment = ["FERMATA_HOME": "\(home.folder)/away", "FERMATA_CONTROL": url]
        environment["FERMATA_CONTROL_CA"] = authority
        if let token { environment["FERMATA_TOKEN"] = token }
        return environment
    }

    func away(_ token: String?, _ arguments: String..., more: [String: String] = [:]) async throws -> CLIRun {
        try await CLIRun.fermata(arguments, in: home, environment: environment(token).merging(more) { $1 })
    }

    /// As ``away(_:_:more:)``, until it is not too late at the instant on a busy machine (exit code 4).
    func done(_ token: String, _ arguments: String...) async throws -> CLIRun {
        var run = CLIRun(status: 4, output: "", errors: "")
        for _ in 0..<5 where run.status == 4 {
            run = try await CLIRun.fermata(arguments, in: home, environment: environment(token))
        }
        guard run.status == 0 else {
            throw CLIError("'\(arguments.joined(separator: " "))': \(run.output)\(run.errors)")
        }
        return run
    }
}
