import FoundationEssentials
import Glibc

/// The two ways to a control instance of this host: the program, which starts a daemon where none runs, and the daemon's socket.
struct Control: Sendable {
    private let program: Program
    /// By the rules of the command line.
    private let environment: [String: String]

    init(program: String, environment: [String: String]) {
        self.program = Program(name: program, environment: environment)
        self.environment = environment
    }

    // MARK: - The program

    /// `fermata WORDS --json`.
    ///
    /// An instant for which the host was too busy (exit code 4) has changed nothing: if nobody asked for that very one, the next is
    /// tried, five in all.
    /// - Returns: its last line.
    @discardableResult
    func run(_ words: [String]) async throws(FermataError) -> Data {
        var attempts = words.contains("--at") || words.contains("--in") ? 1 : 5
        while true {
            let ended = try await program.run(words + ["--json"])
            let answer = ended.output.split(separator: UInt8(ascii: "\n")).last.map { Data($0) } ?? Data()
            if ended.status == 0 { return answer }
            attempts -= 1
            guard ended.status == 4, attempts > 0 else {
                let errors = String(decoding: ended.errors, as: UTF8.self).split(separator: "\n").joined(
                    separator: "\n"
                )
                throw FermataError(
                    answer: answer,
                    status: ended.status,
                    doing: "fermata \(words.joined(separator: " "))",
                    otherwise: errors.isEmpty ? "it ended with \(ended.status) and said nothing" : errors
                )
            }
        }
    }

    /// Any verb starts a daemon where none runs.
    func start() async throws(FermataError) { try await run(["ps"]) }

    // MARK: - The socket

    /// `FERMATA_CONTROL`, else the socket in the state folder.
    /// - Throws: `daemon-elsewhere`: what holds a simulation is a connection to a daemon of this host.
    var socketPath: String {
        get throws(FermataError) {
            let named = environment["FERMATA_CONTROL"] ?? ""
            if named.isEmpty { return "\(home)/control.sock" }
            for scheme in ["unix://", "unix:", "http+unix://"] where named.hasPrefix(scheme) {
                return String(named.dropFirst(scheme.count))
            }
            guard !named.contains("://") else {
                throw FermataError(
                    code: "daemon-elsewhere",
                    exitCode: 2,
                    "FERMATA_CONTROL is \(named), and tests need a daemon of their own host, which holds their simulations: leave it "
                        + "away, or name a socket, unix:/path"
                )
            }
            return named
        }
    }

    private var home: String {
        if let named = environment["FERMATA_HOME"], !named.isEmpty {
            return named.hasPrefix("/") ? named : "\(FileManager.default.currentDirectoryPath)/\(named)"
        }
        if let state = environment["XDG_STATE_HOME"], state.hasPrefix("/") { return "\(state)/fermata" }
        return "\(environment["HOME"] ?? "")/.local/state/fermata"
    }

    /// One request. A daemon that is not there, or has just ended, is started once.
    /// - Returns: the answer's body.
    /// - Throws: what the daemon said; `daemon-unreachable`.
    @discardableResult
    func request(_ method: String, _ path: String, body: Data? = nil) async throws(FermataError) -> Data {
        let socket = try socketPath
        let answer = try await orStarted { () throws(Unanswered) in
            do throws(ControlConnection.Lost) {
                let connection = try ControlConnection(to: socket)
                try connection.ask(method, path, body: body)
                return try connection.readAll()
            } catch {
                throw Unanswered.lost(error)
            }
        }
        guard answer.status < 400 else { throw Self.refusal(answer, "\(method) \(path)") }
        return answer.body
    }

    struct Daemon: Decodable {
        let version: String
        /// What it calls its own host; nil: its release does not tell.
        let host: String?
    }

    func daemon() async throws(FermataError) -> Daemon {
        try Self.decode(Daemon.self, try await request("GET", "/v1/version"), "GET /v1/version")
    }

    /// Holds a simulation's name: what is started by it lives until the connection ends.
    func hold(_ simulation: String) async throws(FermataError) -> ControlConnection {
        let socket = try socketPath
        do throws(FermataError) {
            return try await orStarted { () throws(Unanswered) in try Self.hold(simulation, at: socket) }
        } catch  where error.code == "unknown-path" {
            let daemon = (try? await daemon().version) ?? "of an unknown version"
            throw FermataError(
                code: "daemon-of-other-version",
                "the daemon is fermata \(daemon), which knows no leases; this library is \(Fermata.version). End it with "
                    + "'fermata serve --stop'; the next verb starts a new one, and machines go on running meanwhile"
            )
        }
    }

    /// Blocks. The daemon has it on record when this comes back.
    static func hold(_ simulation: String, at socket: String) throws(Unanswered) -> ControlConnection {
        let answer: (status: Int, line: Data)
        let connection: ControlConnection
        do throws(ControlConnection.Lost) {
            connection = try ControlConnection(to: socket)
            try connection.ask("POST", "/v1/leases", body: Data("{\"simulation\":\"\(simulation)\"}".utf8))
            answer = try connection.readLine()
        } catch {
            throw Unanswered.lost(error)
        }
        guard answer.status == 200, (try? JSONDecoder().decode(Event.self, from: answer.line))?.event == "held" else {
            // A daemon of a release without leases has other words for that; the status is the same.
            guard answer.status != 404 else {
                throw Unanswered.refused(FermataError(code: "unknown-path", "no leases"))
            }
            throw Unanswered.refused(refusal((answer.status, answer.line), "lease of \(simulation)"))
        }
        return connection
    }

    enum Unanswered: Error {
        case lost(ControlConnection.Lost)
        case refused(FermataError)
    }

    private func orStarted<Value: Sendable>(
        _ ask: @escaping @Sendable () throws(Unanswered) -> Value
    ) async throws(FermataError) -> Value {
        if let value = try await once(ask) { return value }
        try await start()
        if let value = try await once(ask) { return value }
        throw FermataError(
            code: "daemon-unreachable",
            "no control instance answers at \(try socketPath), although 'fermata ps' found one: see its log, daemon.log in the state "
                + "folder"
        )
    }

    /// - Returns: nil when the connection was lost, or there was none.
    private func once<Value: Sendable>(
        _ ask: @escaping @Sendable () throws(Unanswered) -> Value
    ) async throws(FermataError) -> Value? {
        try await OwnThread.run { () throws(FermataError) -> Value? in
            do throws(Unanswered) {
                return try ask()
            } catch {
                switch error {
                case .lost: return nil
                case .refused(let refusal): throw refusal
                }
            }
        }
    }

    // MARK: - Answers

    private struct Event: Decodable { let event: String }

    private static func refusal(_ answer: (status: Int, body: Data), _ what: String) -> FermataError {
        FermataError(
            answer: answer.body,
            status: 1,
            doing: what,
            otherwise: "it is answered with HTTP status \(answer.status) and no explanation"
        )
    }

    static func decode<Value: Decodable>(_: Value.Type, _ data: Data, _ what: String) throws(FermataError) -> Value {
        do {
            return try JSONDecoder().decode(Value.self, from: data)
        } catch {
            throw .notUnderstood(what, error)
        }
    }
}
