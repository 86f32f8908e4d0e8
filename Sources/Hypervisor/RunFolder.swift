import FoundationEssentials
import Glibc
import HypervisorAPI
import Time

/// The folder that a machine has while it runs: sockets, logs, overlays, its record.
struct RunFolder: Sendable {
    /// The link to the machine's RAM, if that is a file; it owns it.
    static let ram = "ram"

    let path: String

    /// - Throws: when a machine's record is in it: somebody else's machine.
    func create(_ store: RAMStore) throws(HypervisorError) {
        guard access(MachineRecord.path(in: path), F_OK) != 0 else {
            throw HypervisorError(
                code: "machine-exists",
                message: "\(path) is a machine's already; `fermata down` ends it"
            )
        }
        // What a launch left that was killed before it had a record: nothing ever ran in it.
        CheckpointRAM.giveBack(from: ramLink, store)
        try remove(store)
        try Self.make(path)
    }

    /// Removes layers of disks that the machine does not write any more.
    func removeLayers(except kept: [String]) {
        for name in (try? FileManager.default.contentsOfDirectory(atPath: path)) ?? []
        where name.hasPrefix("disk-") && name.hasSuffix(".qcow2") && !kept.contains("\(path)/\(name)") {
            unlink("\(path)/\(name)")
        }
    }

    static func unlinkFile(_ path: String) { unlink(path) }

    static func make(_ path: String) throws(HypervisorError) {
        do {
            try FileManager.default.createDirectory(
                atPath: path,
                withIntermediateDirectories: true,
                attributes: [.posixPermissions: 0o700]
            )
        } catch {
            throw HypervisorError(code: "file-failed", message: "cannot create \(path): \(error)")
        }
    }

    /// Whose it is.
    var machine: String { String(path[(path.lastIndex(of: "/").map(path.index(after:)) ?? path.startIndex)...]) }

    var ramLink: String { "\(path)/\(Self.ram)" }

    /// With the machine's RAM, unless somebody else owns that by now.
    func remove(_ store: RAMStore) throws(HypervisorError) {
        guard access(path, F_OK) == 0 else { return }
        store.remove(ramLink)
        do {
            try FileManager.default.removeItem(atPath: path)
        } catch {
            throw HypervisorError(code: "file-failed", message: "cannot remove \(path): \(error)")
        }
    }

    /// Ends QEMUs that were started in this folder, also those of which no record was written before a daemon was killed. Not other
    /// programs: a person may look around in it with a shell.
    func endStrays() async throws(HypervisorError) {
        for entry in (try? FileManager.default.contentsOfDirectory(atPath: "/proc")) ?? [] {
            guard let pid = Int32(entry), let identity = ProcessIdentity.current(of: pid),
                ProcFile.readLink("/proc/\(pid)/cwd") == path,
                ProcFile.readStrings("/proc/\(pid)/cmdline")?.contains(LaunchPlan.monitorCharacterDevice) == true
            else { continue }
            try await identity.terminate()
        }
    }
}
