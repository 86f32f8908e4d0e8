import GuestClock
import HypervisorAPI
import Time

extension MachineSpec {
    static func sample(_ name: String, host: String? = nil) -> MachineSpec {
        MachineSpec(name: name, qemu: "/usr/bin/qemu-system-x86_64", machineType: "pc", host: host)
    }
}

extension LaunchRecord {
    static func sample(_ name: String) -> LaunchRecord {
        LaunchRecord(
            spec: .sample(name),
            qemuVersion: [7, 2, 0],
            pinnedMachineType: "pc-i440fx-7.2",
            clock: ClockSettings(
                clock: .vm,
                base: .utc,
                accelerator: .tcg,
                processStart: HostInstant(nanosecondsSinceEpoch: 1_000),
                qemu: QEMURelease(major: 7, minor: 2)
            )
        )
    }
}

extension ClockState {
    static func sample(at instant: HostInstant) -> ClockState {
        ClockState(
            atNs: instant,
            readings: [
                ClockReading(
                    device: "mc146818rtc",
                    section: "rtc",
                    instance: 0,
                    kind: .rtc,
                    readsNs: 1_700_000_000_000_000_000,
                    epoch: .unix,
                    resolutionNs: 1_000_000_000,
                    controllable: true
                )
            ]
        )
    }
}

extension MachineCheckpoint {
    static func sample(
        _ name: String,
        host: String = "left",
        stoppedAt: HostInstant = HostInstant(nanosecondsSinceEpoch: 5),
        clock: ClockState? = nil,
        disks: [FrozenDisk] = []
    ) -> MachineCheckpoint {
        MachineCheckpoint(
            name: name,
            host: host,
            launch: .sample(name),
            ramWay: .stream,
            state: .sample("machines/\(name)/state.qemu"),
            deviceStateOffset: 1,
            deviceStateSHA256: String(repeating: "0", count: 64),
            disks: disks,
            stoppedAt: stoppedAt,
            clock: clock ?? .sample(at: stoppedAt)
        )
    }
}

extension CheckpointFile {
    static func sample(_ path: String, role: Role = .state) -> CheckpointFile {
        CheckpointFile(role: role, path: path, bytes: 5, sha256: String(repeating: "a", count: 64))
    }
}
