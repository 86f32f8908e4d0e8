import HypervisorAPI
import Logging
import QMP
import Time

/// Each checkpoint puts a layer over a disk. What lies between the top one and the image that the disk began with is copied into the
/// top one by QEMU itself while the guest runs on (`block-stream`), when it has become much. Layers that are in checkpoints are read
/// for that, and never written.
extension LifetimeManager {
    private static let jobPrefix = "fermata-stream-"
    /// To be told what is under way; a machine that takes longer hangs, which is told elsewhere.
    private static let answerTime = Span.seconds(5)
    /// Of a job, to end when it is told to.
    private static let cancelTime = Span.seconds(10)
    /// What has to stay free on the volume besides what is copied: a guest whose disk is full stands still.
    private static let spareRoom: UInt64 = 64 << 20

    /// Begins to shorten chains that are too long, or goes on with what a daemon before this one has begun. Returns at once.
    func shortenChains() {
        guard !ownDisks.isEmpty else { return }
        let earlier = shortening
        shortening = Task {
            await earlier?.value
            guard !Task.isCancelled else { return }
            do throws(HypervisorError) {
                try await shortenAll()
            } catch {
                // A machine that is ended meanwhile has nothing to tell.
                guard !Task.isCancelled else { return }
                surroundings.logger.notice("disks of \(name) keep their layers: \(error)")
            }
        }
    }

    /// Nothing works on the machine's layers any more when it returns.
    /// - Parameter patience: for a chain that may not become longer yet; what is under way else is called off.
    func leaveChains(patience: Span) async {
        if let shortening {
            if longestChain >= DiskChain.longest {
                _ = await withTimeLimit(patience) { () -> Bool? in
                    await shortening.value
                    return true
                }
            }
            shortening.cancel()
            await shortening.value
        }
        shortening = nil
        guard isAlive, !ownDisks.isEmpty else { return }
        let asked = await withTimeLimit(Self.answerTime) { () -> (QMPConnection, QMPEvents, [BlockJob])? in
            guard let monitor = try? await self.monitor() else { return nil }
            let events = monitor.events()
            return (try? await monitor.queryBlockJobs()).map { (monitor, events, $0) }
        }
        guard let (monitor, events, jobs) = asked else { return }
        for job in jobs where job.id.hasPrefix(Self.jobPrefix) {
            // It may have ended by itself since.
            guard (try? await monitor.cancelBlockJob(job.id)) != nil else { continue }
            _ = await withTimeLimit(Self.cancelTime) { await monitor.end(ofBlockJob: job.id, in: events) }
        }
    }

    /// Those that it writes into layers of ours.
    private var ownDisks: [MachineRecord.RunningDisk] { record.disks.filter { $0.ownLayer && !$0.readOnly } }

    private func shortenAll() async throws(HypervisorError) {
        guard isAlive else { return }
        let monitor = try await monitor()
        longestChain = 0
        for disk in ownDisks {
            do throws(QMPError) {
                try await shorten(disk, monitor)
            } catch {
                throw HypervisorError(error, machine: name.machine)
            }
        }
    }

    private func shorten(_ disk: MachineRecord.RunningDisk, _ monitor: QMPConnection) async throws(QMPError) {
        guard let chain = try await chain(of: disk, monitor) else { return }
        let job = Self.jobPrefix + disk.nodeName
        let events = monitor.events()
        let isUnderWay = try await monitor.queryBlockJobs().contains { $0.id == job }
        let (layers, base) = (chain.between(origin: origin(of: disk)), chain.base(origin: origin(of: disk)))
        longestChain = max(longestChain, layers.count)
        var promised: UInt64 = 0
        defer { surroundings.streamRoom.release(promised) }
        if !isUnderWay {
            let bytes = layers.reduce(0) { $0 + $1.bytes }
            guard layers.count > DiskChain.limit, let base, hasRoom(for: bytes, layers: layers.count, of: disk) else {
                return
            }
            promised = bytes
            guard !Task.isCancelled else { return }
            try await monitor.blockStream(disk.nodeName, base: base, job: job)
        }
        switch await monitor.end(ofBlockJob: job, in: events) {
        case .done: try await close(layers, monitor)
        case .failed(let why):
            surroundings.logger.notice("disk '\(disk.id)' of \(name) keeps its \(layers.count) layers: \(why)")
        case .cancelled, nil: break
        }
    }

    /// Nodes that were made for checkpoints stay when nothing lies on them any more, and with them their files.
    private func close(_ layers: ArraySlice<DiskChain.Image>, _ monitor: QMPConnection) async throws(QMPError) {
        let files = Set(layers.map(\.file))
        let nodes = try await monitor.queryNamedBlockNodes().filter {
            files.contains($0.file) && !$0.nodeName.isEmpty && !$0.nodeName.hasPrefix("#")
        }
        // The format before the file that it has open.
        for node in nodes.filter({ $0.driver != "file" }) + nodes.filter({ $0.driver == "file" }) {
            _ = try? await monitor.blockdevDel(nodeName: node.nodeName)
        }
    }

    private func chain(of disk: MachineRecord.RunningDisk, _ monitor: QMPConnection) async throws(QMPError)
        -> DiskChain?
    {
        let node = try await monitor.queryBlock().compactMap(\.inserted).first { $0.nodeName == disk.nodeName }
        return node.map(DiskChain.init)
    }

    private func origin(of disk: MachineRecord.RunningDisk) -> String? {
        record.launch.spec.disks.first { $0.id == disk.id }?.file
    }

    private func hasRoom(for bytes: UInt64, layers: Int, of disk: MachineRecord.RunningDisk) -> Bool {
        guard let room = surroundings.streamRoom.reserve(bytes, sparing: Self.spareRoom, at: disk.path) else {
            return true
        }
        surroundings.logger.notice(
            "disk '\(disk.id)' of \(name) keeps its \(layers) layers: copying them may take \(bytes >> 20) MiB, and \(room >> 20) MiB are free and promised to no other"
        )
        return false
    }
}
