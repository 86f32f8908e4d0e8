import FoundationEssentials
import Synchronization

/// A serial port with a log (`serial: [log]`, which is the default): what the guest writes, and what it is told.
///
/// It is read from the log file, so nothing is lost between two calls, nobody else is kept from the port's socket, and it goes on over a
/// suspend and resume. The log begins with the copy: what a checkpoint's machines said before is not in it. That of a machine on another host
/// comes through the daemon.
public final class SerialPort: Sendable, CustomStringConvertible {
    /// From 0, in the manifest's order.
    public let number: Int
    private let machine: String
    private let path: String
    private let control: Control
    private let status: @Sendable () async throws(FermataError) -> SimulationStatus.Machine
    private let known = Mutex<(any SerialSource)?>(nil)

    /// Between two looks at what came.
    private static let pause = Duration.milliseconds(10)

    init(_ number: Int, of machine: Machine) {
        self.number = number
        self.machine = machine.description
        path = "/v1/simulations/\(machine.simulation)/machines/\(machine.name)/serial?port=\(number)"
        control = machine.control
        // The machine has the port, so the port must not have the machine.
        status = { [weak machine] () throws(FermataError) in
            guard let machine else { throw FermataError(code: "machine-missing", "its simulation is used no more") }
            return try await machine.status
        }
    }

    public var description: String { "\(machine), serial port \(number)" }

    /// The path of the file of all that came out of it, on the machine's host.
    /// - Throws: `serial-missing` when its manifest has no `log` for it.
    public var log: String {
        get async throws(FermataError) {
            if let here = known.withLock({ $0 as? SerialLog }) { return here.path }
            return try log(of: try await status())
        }
    }

    private func log(of status: SimulationStatus.Machine) throws(FermataError) -> String {
        guard let first = status.log, let slash = first.lastIndex(of: "/") else {
            throw FermataError(code: "serial-missing", "\(machine) has no log of its serial port")
        }
        return "\(first[...slash])serial\(number).log"
    }

    private var source: any SerialSource {
        get async throws(FermataError) {
            if let known = known.withLock({ $0 }) { return known }
            let status = try await status()
            let here = try await control.daemon().host
            let path = try log(of: status)
            let socket = try control.socketPath
            return known.withLock { known in
                // Somebody else may have been quicker.
                if let known { return known }
                let source: any SerialSource =
                    here == nil || status.host == here ? SerialLog(path) : FarSerial(self.path, at: socket)
                known = source
                return source
            }
        }
    }

    /// The path of the socket to talk to it, on the machine's host; it takes one connection at a time.
    /// - Throws: `serial-missing`.
    public var socket: String {
        get async throws(FermataError) {
            let sockets = try await status().serialSockets
            guard let path = sockets.first(where: { $0.hasSuffix("/serial\(number).sock") }) else {
                throw FermataError(
                    code: "serial-missing",
                    "\(machine) has no socket for its serial port \(number): in its manifest that has to be 'log'"
                )
            }
            return path
        }
    }

    /// Waits for a text in what comes out of it. Each call goes on behind what the last one found.
    /// - Parameters:
    ///   - text: as it comes; a terminal's lines end with `\r\n`.
    ///   - timeout: from now on.
    /// - Throws: ``SerialTimeout``, which tells what came instead; ``FermataError`` with `serial-missing`.
    public func expect(_ text: String, timeout: Duration = .seconds(30)) async throws {
        try await wait(for: "'\(text)'", timeout) { unread in
            unread.utf8.firstRange(of: text.utf8).map { ($0.upperBound, ()) }
        }
    }

    /// Waits for a regular expression in what comes out of it. Each call goes on behind the last match.
    ///
    /// `^` and `$` match at lines, `.` matches a Unicode scalar. Of more than a megabyte that came since the last match, the end is
    /// looked at.
    /// - Parameters:
    ///   - pattern: such as `/"tick":(\d+)/`.
    ///   - timeout: from now on.
    /// - Returns: the match, with what its groups matched.
    /// - Throws: ``SerialTimeout``, which tells what came instead; ``FermataError`` with `serial-missing`; what the expression throws.
    @discardableResult
    public nonisolated(nonsending) func expect<Output>(
        _ pattern: Regex<Output>,
        timeout: Duration = .seconds(30)
    ) async throws -> Regex<Output>.Match {
        let pattern = pattern.anchorsMatchLineEndings().matchingSemantics(.unicodeScalar)
        return try await wait(for: "the regular expression", timeout) { unread in
            try pattern.firstMatch(in: unread).map { ($0.range.upperBound, $0) }
        }
    }

    /// Types it in; the line break has to be in the text.
    /// - Throws: `serial-missing`; `serial-busy` when somebody else has the port's socket for more than half a minute, or the guest
    ///   takes nothing.
    public func send(_ text: String) async throws(FermataError) {
        if try await source is FarSerial {
            // Base64 needs no escaping.
            let body = Data(#"{"base64":"\#(Data(text.utf8).base64EncodedString())"}"#.utf8)
            try await control.request("POST", path, body: body)
            return
        }
        let path = try await socket
        let name = description
        try await OwnThread.run { () throws(FermataError) in try SerialSocket.send(text, to: path, name) }
    }

    /// - Parameter find: nil: it is not there yet; else where it ends.
    private nonisolated(nonsending) func wait<Found>(
        for what: String,
        _ timeout: Duration,
        _ find: (String) throws -> (end: String.Index, Found)?
    ) async throws -> Found {
        let source = try await source
        let deadline = ContinuousClock.now + timeout
        var looked: Int?
        while true {
            // Before the look: what comes between the two is still seen.
            let isOver = ContinuousClock.now >= deadline
            let (unread, received) = source.read()
            if looked != received, let (end, found) = try find(unread) {
                let count = unread.utf8.distance(from: unread.startIndex, to: end)
                source.skip(count)
                return found
            }
            looked = received
            if isOver {
                throw SerialTimeout(
                    port: description,
                    expected: what,
                    timeout: timeout,
                    output: unread,
                    whereabouts: source.whereabouts
                )
            }
            try await Task.sleep(for: Self.pause)
        }
    }
}
