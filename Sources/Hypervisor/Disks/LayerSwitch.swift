import HypervisorAPI
import JSON
import QMP
import Time

/// A new layer over the one that a running machine writes: the lower one then holds still and becomes part of a checkpoint.
///
/// Names follow from the disk and the operation, so that an operation can be undone or finished by a daemon that did not begin it.
struct LayerSwitch: Sendable {
    /// As the machine's record has it until the checkpoint is committed.
    let below: MachineRecord.RunningDisk
    let above: MachineRecord.RunningDisk

    /// One for each disk that the machine writes.
    static func all(of record: MachineRecord, in operation: OperationID) -> [LayerSwitch] {
        record.disks.filter { !$0.readOnly && $0.ownLayer }.map { disk in
            let name = "\(disk.id)@\(operation)"
            var above = disk
            above.nodeName = StableName.identifier("disk", name)
            above.fileNodeName = StableName.identifier("file", name)
            above.path = "\(record.folder)/\(above.nodeName).qcow2"
            above.format = "qcow2"
            return LayerSwitch(below: disk, above: above)
        }
    }

    /// Makes the new layer and opens it in QEMU, over nothing yet.
    /// - Parameter base: where the lower layer will lie once the checkpoint is whole.
    func prepare(on base: String, layers: DiskLayers, monitor: QMPConnection) async throws(HypervisorError) {
        let size = try await layers.inspect(below.path, format: below.format).virtualSize
        try await layers.makeDetachedOverlay(of: base, format: below.format, virtualSize: size, at: above.path)
        do throws(QMPError) {
            try await monitor.blockdevAdd([
                "driver": "file", "node-name": .string(above.fileNodeName), "filename": .string(above.path),
            ])
            try await monitor.blockdevAdd([
                "driver": .string(above.format), "node-name": .string(above.nodeName),
                "file": .string(above.fileNodeName), "backing": .null,
            ])
        } catch {
            throw HypervisorError(error)
        }
    }

    /// All disks of a stopped machine at one moment, or none.
    static func perform(_ switches: [LayerSwitch], monitor: QMPConnection) async throws(HypervisorError) {
        guard !switches.isEmpty else { return }
        do throws(QMPError) {
            try await monitor.snapshot(
                switches.map { DiskOverlay(node: $0.below.nodeName, overlay: $0.above.nodeName) }
            )
        } catch {
            throw HypervisorError(error)
        }
    }

    /// Undoes whatever of it was done: what the guest has written since goes into the lower layer, and the upper one is gone.
    static func undo(_ switches: [LayerSwitch], monitor: QMPConnection) async throws(HypervisorError) {
        guard !switches.isEmpty else { return }
        do throws(QMPError) {
            let nodes = Set(try await monitor.queryNamedBlockNodes().map(\.nodeName))
            let inUse = Set(try await monitor.queryBlock().compactMap(\.inserted?.nodeName))
            for item in switches {
                if inUse.contains(item.above.nodeName) {
                    try await monitor.commitActive(item.above.nodeName, into: item.below.nodeName)
                }
                if nodes.contains(item.above.nodeName) { try await monitor.blockdevDel(nodeName: item.above.nodeName) }
                if nodes.contains(item.above.fileNodeName) {
                    try await monitor.blockdevDel(nodeName: item.above.fileNodeName)
                }
            }
        } catch {
            throw HypervisorError(error)
        }
        for item in switches { item.removeUpper() }
    }

    /// The record tells of it already.
    var isDone: Bool { below.nodeName == above.nodeName }

    func removeUpper() { RunFolder.unlinkFile(above.path) }
}
