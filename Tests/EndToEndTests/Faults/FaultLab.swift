import CShims
import FoundationEssentials
import Glibc
import JSON
import Testing

/// Two small machines with a cable between them, under the real program, for tests that break something.
///
/// Their firmware idles: nothing has to boot. Each has a second monitor, so that a test can ask QEMU itself how it is, whatever
/// the daemon (if there is one) believes.
struct FaultLab: Sendable {
    enum QEMU: String, Sendable, CaseIterable, CustomTestStringConvertible {
        case installed = "7.2"
        case unpacked = "10.0"

        var testDescription: String { "QEMU \(rawValue)" }

        var path: String {
            switch self {
            case .installed: "/usr/bin/qemu-system-x86_64"
            case .unpacked: "\(FaultLab.cache)/qemu-10.0/bin/qemu-system-x86_64"
            }
        }

        /// Where nobody looks at what was skipped, nothing may be: what is not there then fails.
        static var present: [QEMU] {
            allCases.filter { qemu in
                if access(qemu.path, X_OK) == 0 || ProcessInfo.processInfo.environment["CI"] == "true" { return true }
                print("skipped with QEMU \(qemu.rawValue): there is no \(qemu.path) (tools/setup.sh makes it)")
                return false
            }
        }
    }

    /// What the machines of a lab are made of.
    struct Bed: Sendable, CustomTestStringConvertible {
        var qemu = QEMU.installed
        /// As in a manifest.
        var ram = "stream"

        var testDescription: String { qemu.testDescription + (ram == "stream" ? "" : ", ram: \(ram)") }

        /// Whether it goes through every step of what is broken, or only through those in which the way for RAM matters.
        var isFull: Bool { ram == "stream" || ram == "file" && qemu == .installed }

        /// Every QEMU, and each way for RAM that it knows.
        static var all: [Bed] {
            QEMU.present.map { Bed(qemu: $0) } + file
                + QEMU.present.filter { $0 == .unpacked }.map { Bed(qemu: $0, ram: "mapped") }
        }

        static var file: [Bed] { QEMU.present.map { Bed(qemu: $0, ram: "file") } }
    }

    static let name = "flab"
    static let machines = ["alpha", "beta"]

    let home: CLIHome
    let bed: Bed
    /// Of the environment in which the program runs.
    var settings: [String: String] = [:]
    /// Whose machines end with it.
    var simulation = name

    static func with<Value: Sendable>(
        _ qemu: QEMU = .installed,
        _ body: @Sendable (FaultLab) async throws -> Value
    ) async throws -> Value {
        try await with(Bed(qemu: qemu), body)
    }

    /// Runs `body` in a folder of its own; whatever is left of daemons and QEMUs ends with it.
    static func with<Value: Sendable>(
        _ bed: Bed,
        _ body: @Sendable (FaultLab) async throws -> Value
    ) async throws -> Value {
        try await CLIHome.with { home in try await with(bed, in: home, body) }
    }

    static func with<Value: Sendable>(
        _ bed: Bed,
        in home: CLIHome,
        settings: [String: String] = [:],
        simulation: String = name,
        _ body: @Sendable (FaultLab) async throws -> Value
    ) async throws -> Value {
        let lab = FaultLab(home: home, bed: bed, settings: settings, simulation: simulation)
        do {
            let value = try await body(lab)
            await lab.clear()
            return value
        } catch {
            await lab.clear()
            throw error
        }
    }

    static var cache: String {
        if let named = ProcessInfo.processInfo.environment["FERMATA_CACHE"] { return named }
        return "\(#filePath.split(separator: "/").dropLast(4).map { "/\($0)" }.joined())/.cache"
    }

    // MARK: - The program

    /// A host that is busy with tests measures another one's clock badly; how badly is not what these are about.
    private static let usualSettings = ["FERMATA_CACHE": cache, "FERMATA_CLOCK_ERROR": "1s"]

    private var environment: [String: String] { Self.usualSettings.merging(settings) { $1 } }

    /// `fermata ARGUMENTS --json`.
    func fermata(
        _ arguments: String...,
        whileRunning: @Sendable (pid_t) async throws -> Void = { _ in }
    ) async throws -> Answer {
        let run = try await CLIRun.fermata(
            arguments + ["--json"],
            in: home,
            environment: environment,
            whileRunning: whileRunning
        )
        return Answer(run: run)
    }

    /// As ``fermata(_:whileRunning:)``, for who waits for what it prints.
    func follow(
        _ arguments: String...,
        following: @Sendable (RunningCommand) async throws -> Void
    ) async throws -> Answer {
        try await follow(arguments, following: following)
    }

    func follow(
        _ arguments: [String],
        following: @Sendable (RunningCommand) async throws -> Void
    ) async throws -> Answer {
        let run = try await CLIRun.follow(
            arguments + ["--json"],
            in: home,
            environment: environment,
            following
        )
        return Answer(run: run)
    }

    /// As ``fermata(_:whileRunning:)``, which has to end well. A host that was too busy at the instant says so (exit code 4) and
    /// has changed nothing: then once more.
    @discardableResult
    func done(_ arguments: String...) async throws -> Answer { try await done(arguments) }

    @discardableResult
    func done(_ arguments: [String]) async throws -> Answer {
        var run: CLIRun
        var attempts = 5
        repeat {
            run = try await CLIRun.fermata(
                arguments + ["--json"],
                in: home,
                environment: environment
            )
            attempts -= 1
        } while run.status == 4 && attempts > 0
        let answer = Answer(run: run)
        guard run.status == 0 else { throw CLIError("'\(arguments.joined(separator: " "))': \(answer)") }
        return answer
    }

    func up() async throws { try await done("up", try manifest()) }

    /// - Returns: the path of the lab's manifest.
    func manifest() throws -> String {
        let machines = Self.machines.map { machine in
            """
              \(machine):
                qemu: \(bed.qemu.path)
                machine: pc
                memory: 32M
                ram: \(bed.ram)
                args: [-qmp, "unix:\(probe(machine)),server=on,wait=off"]
            """
        }
        return try home.file(
            "lab.yaml",
            """
            simulation: \(Self.name)
            machines:
            \(machines.joined(separator: "\n"))
            links:
              - {name: lan, kind: dgram, between: [alpha, beta]}
            \(resources)

            """
        )
    }

    /// Of every manifest: the ledger tells when it is held.
    var resources: String {
        """
        resources:
          ledger:
            acquire: [/bin/sh, -c, 'echo acquired >> "$0"', \(ledger)]
            release: [/bin/sh, -c, 'echo released >> "$0"', \(ledger)]
        """
    }

    // MARK: - What is the case

    /// Of the second monitor.
    func probe(_ machine: String) -> String { "\(home.folder)/\(machine).qmp" }

    /// Process ids of the QEMUs of this lab that live, whoever knows of them.
    func qemus(of machine: String? = nil) -> [pid_t] {
        let mark = "\(home.path)/machines/\(simulation)/" + (machine.map { "\($0)/" } ?? "")
        guard let folder = opendir("/proc") else { return [] }
        defer { closedir(folder) }
        var found: [pid_t] = []
        var line = [UInt8](repeating: 0, count: 16_384)
        while let entry = readdir(folder) {
            // Nothing but libc in here: tests wait for a process to appear, and a busy host has long command lines.
            let process = withUnsafePointer(to: &entry.pointee.d_name) {
                $0.withMemoryRebound(to: CChar.self, capacity: 256) { pid_t(atoi($0)) }
            }
            guard process > 0 else { continue }
            let file = open("/proc/\(process)/cmdline", O_RDONLY | O_CLOEXEC)
            guard file >= 0 else { continue }
            let count = max(0, read(file, &line, line.count - 1))
            close(file)
            for index in 0..<count where line[index] == 0 { line[index] = UInt8(ascii: " ") }
            line[count] = 0
            let holds = line.withUnsafeBytes { bytes in
                bytes.baseAddress.map { strstr($0.assumingMemoryBound(to: CChar.self), mark) != nil } ?? false
            }
            if holds { found.append(process) }
        }
        return found
    }

    /// What QEMU itself says, `running`, `paused`…; nil when there is none.
    func runState(of machine: String) async throws -> String? {
        guard !qemus(of: machine).isEmpty else { return nil }
        let answer = try MonitorProbe(path: probe(machine)).ask("query-status")
        return answer["return"]?["status"]?.stringValue
    }

    func runStates() async throws -> [String: String] {
        var states: [String: String] = [:]
        for machine in Self.machines { states[machine] = try await runState(of: machine) }
        return states
    }

    /// As `ps` has it.
    func state() async throws -> String? {
        try await done("ps").result["simulations"]?.arrayValue?.first?["state"]?.stringValue
    }

    var checkpoints: [String] { Self.contents("\(home.path)/checkpoints/\(Self.name)") }
    /// What the lab's resource was told, a word a line.
    var ledger: String { "\(home.folder)/ledger" }
    var ledgerLines: [String] {
        ((try? String(contentsOfFile: ledger, encoding: .utf8)) ?? "").split(separator: "\n").map(String.init)
    }

    var journal: [String] { Self.contents("\(home.path)/journal") }

    /// How far the operation in the journal is. Its last step may just be being written.
    var journalPhase: String? {
        guard let entry = journal.first(where: { $0.hasSuffix(".json") }),
            let text = try? String(contentsOfFile: "\(home.path)/journal/\(entry)", encoding: .utf8)
        else { return nil }
        let steps = text.split(separator: "\n").compactMap { try? JSONValue(parsing: String($0)) }
        return steps.last?["phase"]?.stringValue
    }

    static func contents(_ folder: String) -> [String] {
        ((try? FileManager.default.contentsOfDirectory(atPath: folder)) ?? []).sorted()
    }

    /// - Throws: when it does not come to that for a very long time.
    static func wait(for what: String, until isSo: () async throws -> Bool) async throws {
        for _ in 0..<4_000 {
            if try await isSo() { return }
            try await Task.sleep(for: .milliseconds(5))
        }
        throw CLIError("waited in vain for \(what)")
    }

    // MARK: - Faults

    /// As `kill -9`, and waits until the process is gone.
    func killQEMU(_ machine: String) async throws {
        for process in qemus(of: machine) { try await Self.kill(process) }
    }

    /// As `kill -STOP`: whoever asks it something waits, and so stays in the step that it is in.
    func freeze(_ machine: String) { for process in qemus(of: machine) { Glibc.kill(process, SIGSTOP) } }

    func thaw(_ machine: String) { for process in qemus(of: machine) { Glibc.kill(process, SIGCONT) } }

    func killDaemon() async throws {
        if let daemon = home.daemon { try await Self.kill(daemon) }
    }

    private static func kill(_ process: pid_t) async throws {
        let pidfd = fermata_pidfd_open(process)
        guard pidfd >= 0 else { return }
        defer { close(pidfd) }
        fermata_pidfd_signal(pidfd, SIGKILL)
        var poll = pollfd(fd: pidfd, events: Int16(POLLIN), revents: 0)
        try await wait(for: "process \(process) to end") { Glibc.poll(&poll, 1, 0) != 0 }
    }

    private func clear() async {
        // The daemon first: it could start another QEMU, or take one back.
        try? await killDaemon()
        for process in qemus() { try? await Self.kill(process) }
    }
}
