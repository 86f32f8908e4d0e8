import HostClock
import Glibc
import GuestClock
import HypervisorAPI
import MigrationStream
import QMP
import Time

extension LifetimeManager {
    /// Reads the machine's clocks as they are now.
    ///
    /// With a pause (about 2 ms when it runs) QEMU dumps the state of all devices; without, only what QEMU offers of itself.
    func readClocks(pausing: Bool) async throws(HypervisorError) -> MachineClocks {
        guard pausing else { return try await peekClocks() }
        if let disturbance = GuestClocks.disturbance(bySaving: record.launch.pinnedMachineType) {
            throw HypervisorError(code: "clock-read-disturbs", machine: name.machine, message: disturbance)
        }
        return try await dumpClocks()
    }

    private func dumpClocks() async throws(HypervisorError) -> MachineClocks {
        let monitor = try await monitor()
        let path = "\(record.folder)/clocks.dump"
        unlink(path)
        defer { unlink(path) }
        let events = monitor.events()
        let sentAt = surroundings.clock.now()
        do throws(QMPError) {
            // live: true would take the disks away from a stopped machine.
            try await monitor.xenSaveDevicesState(filename: path, live: false)
        } catch {
            throw HypervisorError(error, machine: name.machine)
        }
        let (stoppedAt, pause) = await Self.pause(in: events)
        let readAt = stoppedAt ?? sentAt
        do {
            let source = try FileSource(path: path)
            let stream = try CheckpointStream(deviceDump: source, layouts: GuestClocks.dumpLayouts)
            let clocks = try GuestClocks(
                stream: stream,
                source: source,
                settings: record.launch.clock,
                stoppedAt: readAt
            )
            return MachineClocks(machine: name.machine, readAt: readAt, pause: pause, clock: clocks.state)
        } catch {
            throw HypervisorError(code: "clocks-unreadable", machine: name.machine, message: "\(error)")
        }
    }

    /// A machine that was paused before says nothing, and was not paused for this.
    private static func pause(in events: QMPEvents) async -> (stoppedAt: HostInstant?, length: Span) {
        let pause: (stop: HostInstant, resume: HostInstant)? = await withTimeLimit(.milliseconds(200)) {
            var stop: HostInstant?
            for await event in events {
                if event.name == "STOP" { stop = event.timestamp }
                if event.name == "RESUME", let stop, let resume = event.timestamp { return (stop, resume) }
            }
            return nil
        }
        guard let pause else { return (nil, .zero) }
        return (pause.stop, pause.resume - pause.stop)
    }

    private func peekClocks() async throws(HypervisorError) -> MachineClocks {
        let monitor = try await monitor()
        let readAt = surroundings.clock.now()
        var readings: [ClockReading] = []
        var notes: [String] = []
        do throws(QMPError) {
            let instant = try await monitor.rtcTime()
            readings.append(
                ClockReading(
                    device: "rtc-time",
                    section: "/machine",
                    instance: 0,
                    kind: .rtc,
                    readsNs: instant.nanosecondsSinceEpoch,
                    epoch: .unix,
                    resolutionNs: 1_000_000_000,
                    controllable: true
                )
            )
        } catch {
            notes.append("this machine type does not tell its RTC without a pause: \(error)")
        }
        return MachineClocks(
            machine: name.machine,
            readAt: readAt,
            pause: .zero,
            clock: ClockState(atNs: readAt, readings: readings),
            notes: notes
        )
    }
}
