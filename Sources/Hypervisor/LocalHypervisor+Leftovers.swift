import FoundationEssentials
import Glibc
public import HypervisorAPI

extension LocalHypervisor {
    public func leftovers(besides simulations: [String], removing: Bool) async throws(HypervisorError) -> [Leftover] {
        var found: [Leftover] = []
        for folder in surroundings.simulationFolders {
            for name in FolderListing.names(in: folder)
            where !simulations.contains(name) && holder(of: name) == nil && allMachines(of: name).isEmpty {
                let path = "\(folder)/\(name)"
                guard folder != surroundings.machinesFolder || Self.isForsaken(path) else { continue }
                found.append(Leftover(path: path, bytes: Self.allocated(path)))
                if removing { try RunFolder(path: path).remove(surroundings.ram) }
            }
        }
        for arriving in ArrivalFolder.forsaken(below: "\(surroundings.home)/checkpoints") {
            found.append(Leftover(path: arriving.path, bytes: Self.allocated(arriving.path)))
            if removing { try CheckpointFolder(path: arriving.path).remove() }
        }
        for file in surroundings.ram.unowned() {
            found.append(Leftover(path: file.path, bytes: file.bytes))
            if removing { unlink(file.path) }
        }
        return found.sorted { $0.path < $1.path }
    }

    /// Whether only sockets, empty folders and layers of disks are in it: a record of a machine or resource, or RAM that a
    /// checkpoint may still refer to, is not touched.
    private static func isForsaken(_ path: String) -> Bool {
        entries(of: path).allSatisfy { entry in
            switch entry.status.st_mode & S_IFMT {
            case S_IFDIR: isForsaken(entry.path)
            case S_IFSOCK: true
            case S_IFREG: entry.name.hasPrefix("disk-") && entry.name.hasSuffix(".qcow2")
            default: false
            }
        }
    }

    private static func allocated(_ path: String) -> UInt64 {
        entries(of: path).reduce(0) { sum, entry in
            let isFolder = entry.status.st_mode & S_IFMT == S_IFDIR
            return sum &+ UInt64(clamping: entry.status.st_blocks) &* 512 &+ (isFolder ? allocated(entry.path) : 0)
        }
    }

    private static func entries(of folder: String) -> [(name: String, path: String, status: stat)] {
        FolderListing.names(in: folder).compactMap { name in
            var status = stat()
            let path = "\(folder)/\(name)"
            return lstat(path, &status) == 0 ? (name, path, status) : nil
        }
    }
}
