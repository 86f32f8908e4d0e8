import CShims
import Glibc

extension RAMStore {
    /// A file that was made or moved this recently, in seconds, may be on its way from one owner to another.
    private static let transit = 600

    /// Files to which no link of this home leads any more: a daemon was killed between two steps of a hand-over.
    /// - Parameter age: seconds since the last change of each, at least.
    func unowned(age: Int = transit) -> [(path: String, bytes: UInt64)] {
        var now = timespec()
        clock_gettime(CLOCK_REALTIME, &now)
        let old = [folder, warmFolder, diskFolder].flatMap { folder in
            FolderListing.names(in: folder).compactMap { name -> (path: String, status: stat)? in
                var status = stat()
                let path = "\(folder)/\(name)"
                guard lstat(path, &status) == 0, status.st_mode & S_IFMT == S_IFREG,
                    now.tv_sec - status.st_ctim.tv_sec >= age
                else { return nil }
                return (path, status)
            }
        }
        guard !old.isEmpty else { return [] }
        var owned: Set<UInt64> = []
        collectOwned(in: home, &owned)
        // One with several names takes its room once.
        var counted: Set<UInt64> = []
        return old.filter { !owned.contains(UInt64($0.status.st_ino)) && !Self.isMapped($0.path) }.map { path, status in
            let isFirst = counted.insert(UInt64(status.st_ino)).inserted
            return (path, isFirst ? UInt64(clamping: status.st_blocks) * 512 : 0)
        }
    }

    /// Numbers of all files of ours that a link below a folder leads to, whatever its name.
    private func collectOwned(in folder: String, _ owned: inout Set<UInt64>) {
        for name in FolderListing.names(in: folder) {
            let path = "\(folder)/\(name)"
            var status = stat()
            guard path != diskFolder, lstat(path, &status) == 0 else { continue }
            if status.st_mode & S_IFMT == S_IFDIR { collectOwned(in: path, &owned) }
            // A warm file may have a second name: what counts is the file.
            guard status.st_mode & S_IFMT == S_IFLNK, let target = ProcFile.readLink(path), owns(target),
                lstat(target, &status) == 0
            else { continue }
            owned.insert(UInt64(status.st_ino))
        }
    }

    /// By any process that this one may look at: a machine whose record was lost is no reason to take its memory away.
    private static func isMapped(_ path: String) -> Bool {
        FolderListing.names(in: "/proc").compactMap { Int32($0) }.contains { pid in
            let maps = String(decoding: ProcFile.read("/proc/\(pid)/maps") ?? [], as: UTF8.self)
            return !ProcessPages.mappings(of: path, in: maps).isEmpty
        }
    }
}
