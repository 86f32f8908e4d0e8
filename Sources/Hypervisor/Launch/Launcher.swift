import CShims
import Glibc
import GuestClock
import HypervisorAPI
import QMP
import Time

/// Starts QEMU processes that outlive this one.
struct Launcher: Sendable {
    /// Longest path that a UNIX socket's address holds, without its NUL.
    static let socketPathLimit = 107

    /// How long a QEMU may take until its monitor answers; hosts under load take seconds.
    var patience = Span.seconds(30)

    /// Starts a machine, paused, and waits until its monitor answers. The record is saved in its folder.
    /// - Parameter inherited: the links' ends, from ``LinkPair/inherited(by:from:)``.
    /// - Throws: when QEMU does not start, with the last lines that it said; no process is left then.
    func launch(
        _ plan: LaunchPlan,
        inherited: [Int32: OwnedDescriptor] = [:]
    ) async throws(HypervisorError) -> LaunchedMachine {
        let arguments = CommandLine.build(plan)
        let sockets = CommandLine.serialSockets(plan)
        try check(sockets: sockets, of: plan.spec.name)
        let clock: ClockSettings
        do {
            clock = try ClockSettings(
                arguments: arguments,
                processStart: HostInstant(nanosecondsSinceEpoch: fermata_realtime_ns()),
                qemu: plan.facts.release,
                hostTSCHz: await HostCounter.hertz(),
                localUTCOffset: HostZone.offset
            )
        } catch {
            throw HypervisorError(code: "arguments-invalid", machine: plan.spec.name, message: "\(error)")
        }
        let launch = LaunchRecord(
            spec: plan.spec,
            adoptedArguments: plan.adoptedArguments,
            qemuVersion: plan.facts.version,
            pinnedMachineType: plan.pinnedMachineType,
            clock: clock
        )
        let template = MachineRecord(
            simulation: plan.simulation,
            name: plan.spec.name,
            identity: ProcessIdentity(pid: 0, startTime: 0, bootID: ""),
            monitor: "\(QMPAddress.unix(plan.monitorPath))",
            folder: plan.folder,
            launch: launch,
            arguments: arguments,
            disks: plan.disks,
            links: plan.attachments.map {
                MachineRecord.LinkEnd(
                    link: $0.link.name,
                    kind: $0.link.kind,
                    peer: $0.link.ends[1 - $0.end].machine,
                    descriptor: $0.descriptor,
                    leavesHost: $0.link.ends[$0.end].address == nil ? nil : true
                )
            },
            adopted: false,
            serialSockets: sockets,
            serialBegins: CommandLine.serialBegins(plan),
            log: plan.logPath,
            memory: plan.memory
        )
        return try await start(template, inherited: inherited)
    }

    /// Starts the process that a record describes, and completes and saves the record.
    /// - Parameter template: all but its identity; its monitor is the folder's `qmp.sock`.
    func start(
        _ template: MachineRecord,
        inherited: [Int32: OwnedDescriptor]
    ) async throws(HypervisorError) -> LaunchedMachine {
        var record = template
        let socketPath = "\(record.folder)/qmp.sock"
        let logPath = record.log ?? "\(record.folder)/qemu.log"
        try check(sockets: [socketPath], of: record.name)
        // The log goes on over all processes of the machine; only what this one says is about this one.
        let said = ProcFile.size(of: logPath) ?? 0
        guard mkdir(record.folder, 0o700) == 0 || errno == EEXIST else {
            throw failure(record, "its folder \(record.folder) cannot be made: \(String(cString: strerror(errno)))")
        }
        let child = try spawn(record, socketPath, logPath, inherited)
        do throws(HypervisorError) {
            let monitor = try await connect(to: socketPath, of: child, record, logPath, from: said)
            guard let identity = ProcessIdentity.current(of: child.pid) else {
                throw failure(record, Self.lastWords(in: logPath, from: said) ?? "it ended at once")
            }
            record.identity = identity
            try record.save()
            return LaunchedMachine(record: record, monitor: monitor)
        } catch {
            _ = fermata_pidfd_signal(child.pidfd.number, SIGKILL)
            _ = await BlockingThread.run { child.collect().value }
            unlink(socketPath)
            throw error
        }
    }

    private func spawn(
        _ record: MachineRecord,
        _ socketPath: String,
        _ logPath: String,
        _ inherited: [Int32: OwnedDescriptor]
    ) throws(HypervisorError) -> SpawnedProcess {
        guard let path = record.arguments.first.flatMap(ExecutablePath.find) else {
            throw failure(record, "there is no program \(record.arguments.first ?? "''")")
        }
        let logNumber = open(logPath, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0o600)
        guard logNumber >= 0 else {
            throw failure(record, "its log \(logPath) cannot be opened: \(String(cString: strerror(errno)))")
        }
        let log = OwnedDescriptor(logNumber)
        guard let listener = ListeningSocket.open(at: socketPath) else {
            throw failure(record, "its monitor socket cannot be made: \(String(cString: strerror(errno)))")
        }
        var descriptors = inherited
        descriptors[LaunchPlan.monitorDescriptor] = listener
        return try SpawnedProcess.start(
            path: path,
            arguments: record.arguments,
            workingDirectory: record.folder,
            standardOutput: log.number,
            standardError: log.number,
            inherited: descriptors,
            ownSession: true
        )
    }

    /// The process that listens is QEMU alone from here on: when it ends, the connection does, and nobody has to poll.
    private func connect(
        to socketPath: String,
        of child: SpawnedProcess,
        _ record: MachineRecord,
        _ logPath: String,
        from said: Int64
    ) async throws(HypervisorError) -> QMPConnection {
        do {
            return try await QMPConnection.connect(to: .unix(socketPath), timeout: patience)
        } catch {
            // Its last words are in the log only when it is gone; it closes its sockets a moment before.
            let ended = await DescriptorWait.untilReadable(
                child.pidfd,
                timeout: .milliseconds(ended(error) ? 2_000 : 0)
            )
            throw failure(
                record,
                (ended ? Self.lastWords(in: logPath, from: said) : nil) ?? "its monitor does not answer: \(error)"
            )
        }
    }

    private func ended(_ error: QMPError) -> Bool {
        switch error.code {
        case .peerClosed, .connectionLost, .connectFailed: true
        default: false
        }
    }

    /// - Parameter start: what the log had before is of other processes.
    /// - Returns: nil when there is no log; says so when there is nothing in it.
    static func lastWords(in logPath: String, from start: Int64 = 0, lines count: Int = 5) -> String? {
        guard let bytes = ProcFile.readEnd(logPath, from: start, limit: 4096) else { return nil }
        let lines = String(decoding: bytes, as: UTF8.self).split(whereSeparator: \.isNewline).suffix(count)
        return lines.isEmpty ? "it said nothing" : lines.joined(separator: "; ")
    }

    private func check(sockets: [String], of machine: String) throws(HypervisorError) {
        let tooLong = sockets.filter { $0.utf8.count > Self.socketPathLimit }
        guard tooLong.isEmpty else {
            throw HypervisorError(
                tooLong.map {
                    Reason(
                        code: "path-too-long",
                        machine: machine,
                        message:
                            "the socket \($0) has \($0.utf8.count) bytes in its path, and \(Self.socketPathLimit) are "
                            + "possible; set FERMATA_HOME to a shorter one"
                    )
                }
            )
        }
    }

    private func failure(_ record: MachineRecord, _ why: String) -> HypervisorError {
        HypervisorError(code: "launch-failed", machine: record.name, message: "QEMU does not start: \(why)")
    }
}
