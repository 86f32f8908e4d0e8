import Glibc
import GuestClock
import HypervisorAPI
import QMP
import Time

/// Takes charge of QEMU processes that somebody else started.
struct Adopter: Sendable {
    /// Reads what the machine is, from its monitor and its process, and saves its record. The machine does not notice.
    /// - Parameter folder: the machine's, absolute; made when it is not there (its parent must be).
    /// - Throws: when the monitor does not answer, or no process of this host serves it. A machine that cannot be started again
    ///   is adopted all the same, with the obstacles in its record.
    func adopt(_ order: AdoptOrder, folder: String) async throws(HypervisorError) -> MachineRecord {
        let (address, peer, seen) = try await look(order)
        var survey = seen
        let found = await BlockingThread.run { ProcessFinder.process(serving: address, peer: peer) }
        guard let pid = found, let identity = ProcessIdentity.current(of: pid),
            let arguments = ProcFile.readStrings("/proc/\(pid)/cmdline"),
            var line = AdoptedCommandLine(arguments: arguments)
        else {
            throw HypervisorError(
                code: "adopt-process-unknown",
                machine: order.machine,
                message:
                    "no QEMU process of this host that may be looked at serves \(order.monitor); adopt it on its own host, as its user"
            )
        }
        var obstacles: [Reason] = []
        if line.has("daemonize"), let path = line.relativePaths.first {
            obstacles.append(
                Reason(
                    code: "adopted-relative-path",
                    message: "'\(path)' is relative to a folder that -daemonize has left"
                )
            )
        }
        let cwd = ProcFile.readLink("/proc/\(pid)/cwd") ?? "/"
        line.makePathsAbsolute(in: cwd)
        survey.makePathsAbsolute(in: cwd)
        obstacles += line.obstacles(survey)
        let binary = binary(of: pid, line, &obstacles)
        let record = MachineRecord(
            simulation: order.simulation,
            name: order.machine,
            identity: identity,
            monitor: "\(address)",
            folder: folder,
            launch: try await launchRecord(order, line, survey, identity, binary),
            arguments: [binary] + line.arguments.dropFirst(line.program.count),
            disks: runningDisks(line, survey),
            links: [],
            adopted: true,
            serialSockets: line.serialSockets,
            log: nil,
            obstacles: obstacles.map { Reason(code: $0.code, machine: order.machine, message: $0.message) }
        )
        guard mkdir(folder, 0o700) == 0 || errno == EEXIST else {
            throw HypervisorError(
                code: "file-failed",
                machine: order.machine,
                message: "cannot create \(folder): \(String(cString: strerror(errno)))"
            )
        }
        try record.save()
        return record
    }

    private func look(
        _ order: AdoptOrder
    ) async throws(HypervisorError) -> (address: QMPAddress, peer: Int32?, survey: MachineSurvey) {
        let address = try monitorAddress(order)
        do {
            let monitor = try await QMPConnection.connect(to: address)
            let survey = try await MachineSurvey.of(monitor)
            let peer = monitor.peerProcessID
            // A monitor serves one client at a time, and the next is soon to come.
            await monitor.close()
            return (address, peer, survey)
        } catch let error as HypervisorError {
            throw error
        } catch {
            throw HypervisorError(code: "monitor-failed", machine: order.machine, message: "\(error)")
        }
    }

    /// What is no address at all is the fault of who named it, not of a machine.
    private func monitorAddress(_ order: AdoptOrder) throws(HypervisorError) -> QMPAddress {
        let why: String
        if order.monitor.utf8.count > Int(PATH_MAX) {
            why = "a monitor's address of \(order.monitor.utf8.count) bytes is longer than any path"
        } else {
            do throws(QMPError) {
                return try QMPAddress(parsing: order.monitor)
            } catch {
                why = "\(error)"
            }
        }
        throw HypervisorError(code: "monitor-invalid", machine: order.machine, message: why)
    }

    /// The program that really runs: `argv[0]` may be relative, or a name out of somebody's PATH.
    private func binary(of pid: Int32, _ line: AdoptedCommandLine, _ obstacles: inout [Reason]) -> String {
        let named = line.program.last ?? ""
        guard line.program.count == 1 else {
            obstacles.append(
                Reason(
                    code: "adopted-loader",
                    message: "it was started through \(line.program[0]), not as a program of its own"
                )
            )
            return named
        }
        guard let real = ProcFile.readLink("/proc/\(pid)/exe"), access(real, X_OK) == 0 else {
            obstacles.append(
                Reason(code: "adopted-binary", message: "its program \(named) is no longer where it was started from")
            )
            return named
        }
        return real
    }

    private func launchRecord(
        _ order: AdoptOrder,
        _ line: AdoptedCommandLine,
        _ survey: MachineSurvey,
        _ identity: ProcessIdentity,
        _ binary: String
    ) async throws(HypervisorError) -> LaunchRecord {
        let clock: ClockSettings
        do {
            clock = try await ClockSettings(
                arguments: line.arguments,
                processStart: identity.startInstant ?? HostInstant(nanosecondsSinceEpoch: 0),
                qemu: QEMURelease(major: survey.version[0], minor: survey.version[1]),
                accelerator: survey.accelerator == .kvm ? .kvm : .tcg,
                hostTSCHz: HostCounter.hertz(),
                localUTCOffset: HostZone.offset
            )
        } catch {
            throw HypervisorError(code: "adopt-clock-unknown", machine: order.machine, message: "\(error)")
        }
        let base: HostInstant? = if case .instant(let instant) = clock.base { instant } else { nil }
        var spec = MachineSpec(name: order.machine, qemu: binary, machineType: survey.machineType)
        spec.memoryBytes = survey.memoryBytes
        spec.cpus = survey.cpus
        spec.accelerator = survey.accelerator
        spec.rtc = RTCSpec(base: base, clock: clock.clock)
        spec.serials = []
        spec.disks = runningDisks(line, survey).map {
            DiskSpec(id: $0.id, file: $0.path, format: $0.format, interface: .none, readOnly: $0.readOnly)
        }
        return LaunchRecord(
            spec: spec,
            adoptedArguments: [binary] + line.arguments.dropFirst(line.program.count),
            qemuVersion: survey.version,
            pinnedMachineType: survey.machineType,
            clock: clock
        )
    }

    /// Those that both the command line and QEMU know; an obstacle stands for every other one that can be written.
    private func runningDisks(_ line: AdoptedCommandLine, _ survey: MachineSurvey) -> [MachineRecord.RunningDisk] {
        line.disks.compactMap { disk in
            guard let now = survey.disks.first(where: { $0.file == disk.file }) else { return nil }
            return MachineRecord.RunningDisk(
                id: disk.id,
                nodeName: now.nodeName,
                path: now.file,
                format: now.format,
                readOnly: now.readOnly,
                ownLayer: false,
                fileNodeName: ""
            )
        }
    }
}
