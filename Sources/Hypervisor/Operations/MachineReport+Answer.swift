import GuestClock
import HypervisorAPI
import Time

extension MachineReport {
    init(
        _ answer: Chorus.Answer,
        instant: HostInstant,
        clock: ClockState?,
        clockBefore: ClockState? = nil,
        saved: MachineCheckpoint? = nil,
        ram: (way: RAMWay, bytes: UInt64)? = nil,
        stages: [Stage],
        notes: [String] = []
    ) {
        self.init(
            name: answer.machine,
            sentAt: answer.sentAt,
            happenedAt: answer.happenedAt,
            lateness: answer.happenedAt.map { $0 - instant },
            clock: clock,
            clockBefore: clockBefore,
            ramWay: ram?.way ?? saved?.ramWay,
            ramBytes: ram?.bytes ?? saved?.ram?.bytes ?? saved?.state.bytes,
            stages: stages,
            saved: saved,
            notes: notes
        )
    }
}
