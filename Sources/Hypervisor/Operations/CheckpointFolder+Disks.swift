import Glibc
import HypervisorAPI

extension CheckpointFolder {
    /// Images up to this size are digested before a resume, which takes some tens of milliseconds; of larger ones only the size is
    /// compared, and `verify` reads them.
    static let digestedBefore: UInt64 = 64 << 20

    /// Every way in which a machine's frozen disks are not what was saved; empty when they are.
    ///
    /// Beyond ``digestedBefore`` their size has to do. Of the images below a layer nothing but their names is recorded; they have to be
    /// there.
    func damage(to disks: [FrozenDisk]) async -> [Reason] {
        var reasons: [Reason] = []
        for disk in disks {
            reasons += await damage(to: disk.file).map { Reason(code: "checkpoint-corrupt", message: $0) }
            reasons += disk.backingFiles.filter { access($0, R_OK) != 0 }.map { path in
                Reason(
                    code: "checkpoint-corrupt",
                    message: "the image \(path), on which disk '\(disk.id)' lies, cannot be read: "
                        + String(cString: strerror(errno))
                )
            }
        }
        return reasons
    }

    /// Of files that another host's checkpoint brought along.
    func damage(to files: [LaunchFile]) async -> [Reason] {
        var reasons: [Reason] = []
        for file in files {
            reasons += await differences(of: file.file).map { Reason(code: "checkpoint-corrupt", message: $0) }
        }
        return reasons
    }

    private func damage(to image: CheckpointFile) async -> [String] {
        let path = DiskLayers.absolute(image.path, in: self.path)
        guard access(path, F_OK) == 0 else { return ["\(path) is missing"] }
        guard image.bytes > Self.digestedBefore else { return await differences(of: image) }
        do throws(HypervisorError) {
            let size = try FileDigest.size(of: path)
            return size == image.bytes ? [] : ["\(path) has \(size) bytes instead of \(image.bytes)"]
        } catch {
            return error.reasons.map(\.message)
        }
    }
}
