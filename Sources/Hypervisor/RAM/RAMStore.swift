import CShims
import Glibc
import HypervisorAPI
import Synchronization

/// The folder in which machines of this home have their RAM as files, one a machine, as large as its memory and mostly holes.
///
/// A file has no owner but the symbolic link that leads to it: `ram` in a machine's run folder while it runs, `ram` in a checkpoint's
/// folder until that is sealed, `ram.warm` beside one that is in its place. A link is made before its file, so that no crash leaves a file that
/// nobody knows.
final class RAMStore: Sendable {
    /// Set to a folder on a tmpfs or a disk, absolute, to have RAM there instead of in `/dev/shm`.
    static let setting = "FERMATA_RAM_FOLDER"

    /// Absolute; made when it is first needed.
    let folder: String
    /// For RAM that a machine took over from a checkpoint on disk: on the checkpoints' own volume, so that nothing is copied.
    let diskFolder: String
    let home: String
    let root: String
    /// Room is looked at and taken by one at a time.
    private let lock = Mutex(())

    init(home: String, wanted: String?) {
        let root: String
        if let wanted, wanted.hasPrefix("/") {
            root = wanted
        } else {
            let isUsable = fermata_volume_of("/dev/shm") == FERMATA_VOLUME_MEMORY && access("/dev/shm", W_OK) == 0
            root = isUsable ? "/dev/shm" : home
        }
        self.home = home
        self.root = root
        diskFolder = "\(home)/ram"
        folder = "\(root)/\(Self.prefix)\(StableName.tag(of: home))"
    }

    var warmFolder: String { "\(folder)/warm" }

    /// Whether files in it are gone with the host's power.
    var isVolatile: Bool { fermata_volume_of(root) != FERMATA_VOLUME_OTHER }

    /// Whether what a file takes is the host's ordinary memory; huge pages are set apart from that.
    var isOrdinaryMemory: Bool { fermata_volume_of(root) == FERMATA_VOLUME_MEMORY }

    /// What a file's size has to be a multiple of, in bytes.
    var grain: UInt64 {
        var volume = statvfs()
        guard fermata_volume_of(root) == FERMATA_VOLUME_HUGE_PAGES, statvfs(root, &volume) == 0 else { return 4096 }
        return UInt64(volume.f_bsize)
    }

    /// Whether the place that the folder is made in is there: a disk that is not mounted says nothing of what is on it.
    var isPresent: Bool { access(root, F_OK) == 0 }

    /// As ``create(bytes:ownedBy:)``, of what is good to have: nobody gives up anything for it.
    /// - Returns: nil when there is not plenty of memory, also when others have come to write all that they may.
    func createSpare(bytes: UInt64, ownedBy link: String) -> String? {
        lock.withLock { _ in
            guard (try? prepare()) != nil, room >= bytes, hasPlenty(besides: promised + bytes) else { return nil }
            return try? make(bytes: bytes, ownedBy: link)
        }
    }

    /// What links and names are looked at and changed in is one step for all others.
    func exclusively<Value>(_ body: () throws(HypervisorError) -> Value) throws(HypervisorError) -> Value {
        try lock.withLock { (_) throws(HypervisorError) in try body() }
    }

    /// A new file of nothing but zeros.
    /// - Parameters:
    ///   - bytes: a multiple of ``grain``.
    ///   - link: who owns it, a path that is not there yet.
    /// - Throws: `no-space` when it, or what other machines may still come to write, would not fit.
    func create(bytes: UInt64, ownedBy link: String) throws(HypervisorError) -> String {
        try lock.withLock { (_) throws(HypervisorError) in
            try prepare()
            try makeRoom(for: bytes)
            return try make(bytes: bytes, ownedBy: link)
        }
    }

    private func make(bytes: UInt64, ownedBy link: String) throws(HypervisorError) -> String {
        let path = newPath(in: folder)
        try Self.point(link, to: path)
        let number = open(path, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0o600)
        guard number >= 0 else { throw HypervisorError.file("create", path) }
        let file = OwnedDescriptor(number)
        guard let size = off_t(exactly: bytes), ftruncate(file.number, size) == 0 else {
            let error = HypervisorError.file("size", path)
            unlink(path)
            throw error
        }
        return path
    }

    /// Where a link leads, if to a file of ours of that size: links in a checkpoint's folder are no more to be trusted than the rest.
    func file(behind link: String, bytes: UInt64? = nil) -> String? {
        guard let target = ProcFile.readLink(link), owns(target) else { return nil }
        var status = stat()
        guard lstat(target, &status) == 0, status.st_mode & S_IFMT == S_IFREG, status.st_uid == geteuid(),
            bytes == nil || UInt64(clamping: status.st_size) == bytes
        else { return nil }
        return target
    }

    /// A second name for a file, which is there for as long as any of its names.
    /// - Parameters:
    ///   - other: the link that leads to it.
    ///   - link: who owns the new name.
    /// - Returns: nil when the other link leads to no such file, or not any more.
    func addName(to other: String, bytes: UInt64, ownedBy link: String) throws(HypervisorError) -> String? {
        try lock.withLock { (_) throws(HypervisorError) in
            guard let target = file(behind: other, bytes: bytes) else { return nil }
            let path = newPath(in: String(target[..<(target.lastIndex(of: "/") ?? target.startIndex)]))
            try Self.point(link, to: path)
            guard Glibc.link(target, path) != 0 else { return path }
            let reason = errno
            unlink(link)
            guard reason == ENOENT else { throw HypervisorError.file("link", target, reason) }
            return nil
        }
    }

    func newPath(in folder: String) -> String { "\(folder)/\(Handle.randomToken()).ram" }

    func owns(_ path: String) -> Bool {
        [folder, diskFolder].contains { path.hasPrefix($0 + "/") } && !path.split(separator: "/").contains("..")
    }

    /// Removes a link and, if it is ours, the file that it leads to.
    func remove(_ link: String) {
        guard let target = ProcFile.readLink(link) else { return }
        if owns(target) { unlink(target) }
        unlink(link)
    }

    /// Whether a checkpoint's RAM may be in memory, too: at least half of the host's is free.
    func hasPlenty() -> Bool { hasPlenty(besides: 0) }

    /// - Parameter bytes: that are still to come.
    private func hasPlenty(besides bytes: UInt64) -> Bool {
        isOrdinaryMemory && ProcFile.memory("MemAvailable") > ProcFile.memory("MemTotal") / 2 + bytes
    }

    /// A sealed checkpoint's RAM, kept in memory for as long as nobody needs the room: its name moves to where ``makeRoom(for:)`` finds it.
    func keepWarm(_ link: String) { lock.withLock { _ in moveToWarm(link) } }

    private func moveToWarm(_ link: String) {
        guard let target = file(behind: link), !target.hasPrefix(warmFolder + "/"),
            let name = target.split(separator: "/").last, (try? RunFolder.make(warmFolder)) != nil
        else { return }
        let warm = "\(warmFolder)/\(name)"
        guard Glibc.link(target, warm) == 0 else { return }
        let isOwned = (try? Self.point(link, to: warm)) != nil
        unlink(isOwned ? target : warm)
    }

    /// What is warm becomes a machine's own, out of the reach of whoever needs room.
    /// - Parameters:
    ///   - warm: the link beside the sealed RAM.
    ///   - link: of the machine.
    ///   - sealed: the RAM in the checkpoint, which it must not be itself.
    /// - Returns: nil when there is none, or somebody else was first.
    func takeWarm(_ warm: String, to link: String, bytes: UInt64, besides sealed: String) -> String? {
        lock.withLock { _ in
            guard rename(warm, link) == 0 else { return nil }
            guard let target = file(behind: link, bytes: bytes), !FileCopy.sameVolume(target, sealed) else {
                remove(link)
                return nil
            }
            let own = newPath(in: folder)
            guard (try? Self.point(link, to: own)) != nil, rename(target, own) == 0 else {
                unlink(link)
                return nil
            }
            return own
        }
    }

    /// Makes or replaces a link at once.
    static func point(_ link: String, to target: String) throws(HypervisorError) {
        let temporary = link + DurableFile.unfinished
        unlink(temporary)
        guard symlink(target, temporary) == 0, rename(temporary, link) == 0 else {
            throw HypervisorError.file("link", link)
        }
    }

    /// Bytes that are neither taken nor promised to a file that may still grow.
    var room: UInt64 {
        var volume = statvfs()
        guard statvfs(root, &volume) == 0 else { return 0 }
        var free = UInt64(volume.f_bavail) * UInt64(volume.f_frsize)
        var promised = promised
        // A hugetlbfs that was mounted without a size says nothing of room: it has what the host's pool has.
        if fermata_volume_of(root) == FERMATA_VOLUME_HUGE_PAGES, volume.f_blocks == 0 {
            let page = UInt64(volume.f_bsize)
            free = Self.hugePages("free", of: page) * page
            // The kernel reserves for what is mapped, whoever has mapped it: also for files of ours.
            promised = max(promised, Self.hugePages("resv", of: page) * page)
        }
        return free - min(free, promised)
    }

    /// Bytes that machines may still come to write.
    private var promised: UInt64 {
        Self.distinct(Self.files(in: folder)).reduce(UInt64(0)) { $0 + $1.size - min($1.size, $1.allocated) }
    }

    /// - Parameter size: of a page, in bytes.
    private static func hugePages(_ what: String, of size: UInt64) -> UInt64 {
        let text = ProcFile.read("/sys/kernel/mm/hugepages/hugepages-\(size >> 10)kB/\(what)_hugepages") ?? []
        return UInt64(String(decoding: text, as: UTF8.self).filter(\.isNumber)) ?? 0
    }

    private static var prefix: String { "fermata-\(geteuid())-" }

    /// Says whose folder it is, so that one whose home is gone can be told.
    private static let homeLink = "home"

    /// Folders beside this one of homes that are no more, with the bytes that they take. They are told, not removed: a home may be on a
    /// disk that is not mounted now.
    var abandoned: [(folder: String, bytes: UInt64)] {
        FolderListing.names(in: root).filter { $0.hasPrefix(Self.prefix) }.compactMap { name in
            let folder = "\(root)/\(name)"
            guard let owner = ProcFile.readLink("\(folder)/\(Self.homeLink)"), ProcFile.size(of: owner) == nil else {
                return nil
            }
            let files = Self.distinct(Self.files(in: folder) + Self.files(in: "\(folder)/warm"))
            return (folder, files.reduce(0) { $0 + $1.allocated })
        }
    }

    private func prepare() throws(HypervisorError) {
        try RunFolder.make(folder)
        var status = stat()
        // In /dev/shm anybody may have been there first.
        guard lstat(folder, &status) == 0, status.st_mode & S_IFMT == S_IFDIR, status.st_uid == geteuid(),
            status.st_mode & 0o077 == 0
        else {
            throw HypervisorError(
                code: "ram-folder-unusable",
                message:
                    "\(folder) is not a folder of this user alone; remove it, or set \(Self.setting) to another place"
            )
        }
        let link = "\(folder)/\(Self.homeLink)"
        // A hugetlbfs takes no symbolic links; what is abandoned on one is not told.
        if ProcFile.readLink(link) != home, fermata_volume_of(root) != FERMATA_VOLUME_HUGE_PAGES {
            try Self.point(link, to: home)
        }
    }

    /// Gives up warm files, oldest first, until there is room; also in the host's memory, of which a tmpfs may promise more than there is.
    private func makeRoom(for bytes: UInt64) throws(HypervisorError) {
        var warm = Self.files(in: warmFolder).sorted { $0.modified < $1.modified }
        while !warm.isEmpty, room < bytes || isOrdinaryMemory && ProcFile.memory("MemAvailable") < bytes {
            unlink(warm.removeFirst().path)
        }
        guard room >= bytes else {
            throw HypervisorError(
                code: "no-space",
                message:
                    "its RAM may take \(bytes >> 20) MiB and \(root) has \(room >> 20) MiB that are not "
                    + "promised to other machines; set \(Self.setting) to another place, or write `ram: stream` in the manifest"
            )
        }
    }

    private struct Entry {
        var path: String
        /// The same for each name of a file.
        var number: UInt64
        var size: UInt64
        var allocated: UInt64
        var modified: Int
    }

    /// One with several names takes its room once.
    private static func distinct(_ files: [Entry]) -> some Collection<Entry> {
        Dictionary(files.map { ($0.number, $0) }) { first, _ in first }.values
    }

    private static func files(in folder: String) -> [Entry] {
        FolderListing.names(in: folder).compactMap { name in
            var status = stat()
            guard lstat("\(folder)/\(name)", &status) == 0, status.st_mode & S_IFMT == S_IFREG else { return nil }
            return Entry(
                path: "\(folder)/\(name)",
                number: UInt64(status.st_ino),
                size: UInt64(clamping: status.st_size),
                allocated: UInt64(clamping: status.st_blocks) * 512,
                modified: status.st_mtim.tv_sec
            )
        }
    }
}
