import CShims
import HypervisorAPI
import QMP

/// How one machine is going to be saved: what of it is decided before anything is taken.
struct SavingChoice: Sendable {
    /// Of the stream that QEMU writes.
    let way: RAMWay
    /// Of a machine that runs on: whether it does so while its RAM is written.
    let savedWhile: SavedWhile?
    /// Why RAM cannot be saved behind the guest's back, of a machine that is to run on.
    let obstacle: String?

    var isBehind: Bool { savedWhile == .running }

    /// - Parameter goingOn: it is to run on as soon as it can.
    init(for record: MachineRecord, _ monitor: QMPConnection, goingOn: Bool) async throws(HypervisorError) {
        guard goingOn else {
            (way, savedWhile, obstacle) = (try RAMWay.choose(for: record), nil, nil)
            return
        }
        obstacle = try await Self.obstacle(to: monitor, of: record)
        savedWhile = obstacle == nil ? .running : .paused
        // Only the classic stream can be written while the guest runs on, and one that runs on keeps its file.
        way = obstacle == nil || record.memory?.shared == true ? .stream : try RAMWay.choose(for: record)
    }

    /// RAM that is taken out of the stream as it comes, so that the machine can be given its memory from a file again; nil: it stays in it.
    /// - Parameter store: for a second copy of RAM that is written.
    func separateRAM(of record: MachineRecord, at path: String, store: RAMStore) -> SeparateRAM? {
        guard way == .stream, let memory = record.memory else { return nil }
        // A machine that stands still for it does not wait for a second copy.
        return SeparateRAM(of: memory, at: path, second: savedWhile == .paused ? nil : store)
    }

    /// Why this machine's RAM cannot be saved while it runs on; nil when it can.
    private static func obstacle(
        to monitor: QMPConnection,
        of record: MachineRecord
    ) async throws(HypervisorError) -> String? {
        let launch = record.launch
        guard RAMWay.staysPausedBehind(launch.qemuVersion) else {
            return "QEMU before 10.0 would let it go on by itself, before other machines are saved"
        }
        // Their hash page table and storage attributes are saved bit by bit like RAM, and nothing protects them.
        if ["pseries", "s390-ccw-virtio"].contains(where: { launch.pinnedMachineType.hasPrefix($0) }) {
            return "a \(launch.pinnedMachineType) has state beside its RAM that QEMU saves while the guest changes it"
        }
        // The kernel protects pages of memory, of tmpfs and of hugetlbfs only.
        if let memory = record.memory, fermata_volume_of(memory.path) == FERMATA_VOLUME_OTHER {
            return
                "its RAM is \(memory.shared ? "a file" : "a view of a checkpoint") on disk, whose pages the kernel cannot protect"
                + (memory.shared ? "" : "; `resume --copy` would have given it RAM of its own")
        }
        do throws(QMPError) {
            try await monitor.prepareMigration(mapped: false, behind: true)
            return nil
        } catch {
            guard case .command(_, let description) = error.code else { throw HypervisorError(error) }
            return description
        }
    }
}
