import GuestClock
import HypervisorAPI
import MigrationStream
import Time

extension StoredState {
    /// What the machine's clocks read when it stopped.
    func clockState(launch: LaunchRecord, stoppedAt: HostInstant) throws(HypervisorError) -> ClockState {
        try clocks(launch: launch, stoppedAt: stoppedAt).state
    }

    func clocks(launch: LaunchRecord, stoppedAt: HostInstant) throws(HypervisorError) -> GuestClocks {
        do throws(ClockError) {
            return try GuestClocks(stream: stream, source: source, settings: launch.clock, stoppedAt: stoppedAt)
        } catch {
            throw HypervisorError(code: "clocks-unreadable", machine: launch.spec.name, message: "\(error)")
        }
    }
}
