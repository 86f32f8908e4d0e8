import FoundationEssentials
import Glibc

/// A state folder on a disk of its own, whose contents can be had as they are after a loss of power.
struct StateDisk {
    enum Kind: String {
        case ext4
        /// Files can share blocks.
        case xfs
    }

    private let image: String
    private let mountPoint: String
    private let options: String

    /// - Returns: nil, with a word on why, where disks cannot be made.
    static func make(_ kind: Kind, megabytes: Int, for home: CLIHome) -> StateDisk? {
        guard geteuid() == 0 else {
            print("skipped: a disk for a state folder can only be mounted as root")
            return nil
        }
        // No journal is committed but for a sync, and nothing is allocated ahead of one.
        let options = kind == .ext4 ? "loop,commit=300" : "loop"
        let disk = StateDisk(image: "\(home.folder)/disk.img", mountPoint: home.path, options: options)
        do {
            _ = try CheckpointFiles.shell(
                "truncate -s \(megabytes)M '\(disk.image)' && mkfs.\(kind) -q '\(disk.image)' && mkdir -p -m 700 '\(home.path)'"
            )
            try disk.mount()
            return disk
        } catch {
            print("skipped: no disk can be made and mounted here: \(error)")
            return nil
        }
    }

    func mount() throws { try mount(image) }

    /// As it was at a step of a test that it was ``cut(_:)`` at.
    func mount(asOf step: String) throws { try mount(copy(step)) }

    private func mount(_ image: String) throws {
        _ = try CheckpointFiles.shell("mount -o \(options) '\(image)' '\(mountPoint)' && chmod 700 '\(mountPoint)'")
    }

    func unmount() { _ = try? CheckpointFiles.shell("umount -l '\(mountPoint)'") }

    private func copy(_ step: String) -> String { "\(image).\(step)" }

    /// Keeps what the disk holds now: writes that nobody has synced are not in the image yet.
    /// - Throws: when the disk was being written meanwhile, again and again.
    func cut(_ step: String) throws {
        let copy = copy(step)
        for _ in 0..<50 {
            let same = try CheckpointFiles.shell(
                "cp --sparse=always '\(image)' '\(copy)' && { cmp -s '\(image)' '\(copy)' && echo same || true; }"
            )
            if same.contains("same") { return }
        }
        throw CLIError("the disk is never quiet")
    }
}
