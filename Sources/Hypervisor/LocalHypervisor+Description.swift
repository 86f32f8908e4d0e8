import FoundationEssentials
import Glibc
import HostClock
public import HypervisorAPI

extension LocalHypervisor {
    public func describe() async -> HypervisorDescription {
        let probe = surroundings.probe
        let answers = await Self.binariesOnPath().gatherResults { (path) async throws(HypervisorError) in
            try await probe.facts(of: path).binary
        }
        let binaries = answers.compactMap { try? $0.get() }
        var findings: [HypervisorDescription.Finding] = []
        // Debian's qemu-system-x86_64-microvm runs with KVM alone: one of several that does not run here keeps nobody from anything.
        for case .failure(let error) in answers {
            findings.append(.init(level: binaries.isEmpty ? .problem : .notice, subject: "QEMU", message: "\(error)"))
        }
        if binaries.isEmpty {
            findings.append(
                .init(
                    level: .problem,
                    subject: "QEMU",
                    message: "no qemu-system-* is on PATH; install QEMU 7.2 or later"
                )
            )
        }
        findings += [
            Self.diskTools, Self.kvm, Self.savingBehind, Self.realtime(surroundings.deadlines.privileges),
            await HostClockFinding.look(), space, memory,
        ]
        findings += surroundings.ram.abandoned.map { folder, bytes in
            .init(
                level: .notice,
                subject: "RAM",
                message:
                    "\(folder) has \(bytes >> 20) MiB of a state folder that is not there any more; remove it if nobody needs it"
            )
        }
        return HypervisorDescription(
            host: host,
            architecture: HostArchitecture.name,
            binaries: binaries.sorted { $0.path < $1.path },
            findings: findings,
            kvm: access(Self.kvmDevice, R_OK | W_OK) == 0,
            freeBytes: freeBytes,
            clockErrorBound: surroundings.clockErrorBound
        )
    }

    private static let kvmDevice = "/dev/kvm"

    /// nil: its state folder cannot be looked at.
    private var freeBytes: UInt64? {
        var volume = statvfs()
        guard statvfs(surroundings.home, &volume) == 0 else { return nil }
        return UInt64(volume.f_bavail) * UInt64(volume.f_frsize)
    }

    private static func binariesOnPath() -> [String] {
        let folders = (ProcessInfo.processInfo.environment["PATH"] ?? "").split(separator: ":").map(String.init)
        var seen: Set<String> = []
        return folders.flatMap { folder in
            ((try? FileManager.default.contentsOfDirectory(atPath: folder)) ?? [])
                .filter { $0.hasPrefix("qemu-system-") && seen.insert($0).inserted }
                .map { "\(folder)/\($0)" }
        }
    }

    private static var diskTools: HypervisorDescription.Finding {
        guard let path = ExecutablePath.find("qemu-img") else {
            return .init(
                level: .problem,
                subject: "qemu-img",
                message: "not on PATH; machines with disks cannot be launched (Debian: apt-get install qemu-utils)"
            )
        }
        return .init(level: .ok, subject: "qemu-img", message: path)
    }

    private static var kvm: HypervisorDescription.Finding {
        if access(kvmDevice, R_OK | W_OK) == 0 {
            return .init(level: .ok, subject: "KVM", message: "\(kvmDevice) can be used")
        }
        return .init(
            level: .notice,
            subject: "KVM",
            message: "\(kvmDevice) cannot be used (\(String(cString: strerror(errno)))); machines run with `accel: tcg`"
        )
    }

    /// QEMU protects a running guest's RAM by userfaultfd; the kernel permits that to root, to everybody, or by the device.
    private static var savingBehind: HypervisorDescription.Finding {
        let subject = "userfaultfd"
        let setting = ProcFile.read("/proc/sys/vm/unprivileged_userfaultfd")?.first
        if geteuid() == 0 || setting == UInt8(ascii: "1") || access("/dev/userfaultfd", R_OK | W_OK) == 0 {
            return .init(level: .ok, subject: subject, message: "permitted; `checkpoint` saves RAM while guests run")
        }
        return .init(
            level: .notice,
            subject: subject,
            message: "not permitted, so guests stand still while `checkpoint` saves their RAM; "
                + "`sysctl vm.unprivileged_userfaultfd=1` permits it"
        )
    }

    private static func realtime(_ privileges: RealtimePrivileges) -> HypervisorDescription.Finding {
        .init(level: privileges.full ? .ok : .notice, subject: "real time", message: "\(privileges)")
    }

    private var space: HypervisorDescription.Finding {
        guard let free = freeBytes else {
            return .init(level: .problem, subject: "space", message: "\(surroundings.home) cannot be looked at")
        }
        return .init(
            level: free < 1 << 30 ? .notice : .ok,
            subject: "space",
            message: "\(free >> 20) MiB free for checkpoints in \(surroundings.home)"
        )
    }

    private var memory: HypervisorDescription.Finding {
        let store = surroundings.ram
        return .init(
            level: store.isVolatile ? .ok : .notice,
            subject: "RAM",
            message: "files of machines' RAM go to \(store.folder), \(store.room >> 20) MiB free"
                + (store.isVolatile ? "" : ", on a disk, to which the kernel writes them while machines run")
                + (store.isOrdinaryMemory
                    ? "; with \(RAMStore.setting) on a hugetlbfs, machines stand still for less time in a `checkpoint`"
                    : "")
        )
    }
}
