import CShims
import Glibc
import HypervisorAPI

/// Copies big files of mostly nothing: images, RAM. The copy is synced when it returns; its folder is not.
enum FileCopy {
    enum Way: Hashable, Sendable {
        /// Shares the original's blocks: takes no time and no room.
        case reflink
        /// Data only; holes stay holes.
        case sparse
    }

    /// - Throws: when the target is there already, or cannot be written; nothing is left of it then.
    static func copy(from source: String, to target: String) async throws(HypervisorError) -> Way {
        try await BlockingThread.run { copyResult(from: source, to: target) }.get()
    }

    /// - Returns: false, with nothing left, when the file system cannot share blocks (or anything else fails).
    static func reflink(from source: String, to target: String) -> Bool {
        let output = open(target, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0o600)
        guard output >= 0 else { return false }
        close(output)
        if reflink(from: source, over: target) { return true }
        unlink(target)
        return false
    }

    /// As the other one, into a file that is there.
    static func reflink(from source: String, over target: String) -> Bool {
        let input = OwnedDescriptor(open(source, O_RDONLY | O_CLOEXEC))
        let output = OwnedDescriptor(open(target, O_WRONLY | O_CLOEXEC))
        return withExtendedLifetime((input, output)) {
            reflink(from: input.number, over: output.number) && fsync(output.number) == 0
        }
    }

    /// Not synced.
    static func reflink(from input: Int32, over output: Int32) -> Bool { ioctl(output, ficlone, input) == 0 }

    /// Copies into a file of zeros that is there, and is not synced: it is not meant to last.
    static func fill(_ target: String, from source: String) async throws(HypervisorError) {
        try await BlockingThread.run { () -> Result<Void, HypervisorError> in
            let input = OwnedDescriptor(open(source, O_RDONLY | O_CLOEXEC))
            guard input.number >= 0 else { return .failure(HypervisorError.file("read", source)) }
            let output = OwnedDescriptor(open(target, O_RDWR | O_CLOEXEC))
            guard output.number >= 0 else { return .failure(HypervisorError.file("write", target)) }
            return withExtendedLifetime((input, output)) {
                let error =
                    fermata_volume_of(target) == FERMATA_VOLUME_HUGE_PAGES
                    ? copyData(input.number, mapped: output.number) : copyData(input.number, output.number)
                if let error { return .failure(HypervisorError.file("copy \(source) to", target, error)) }
                return .success(())
            }
        }.get()
    }

    /// Whether blocks of one could be the other's.
    static func sameVolume(_ one: String, _ other: String) -> Bool {
        guard let (first, second) = status(one, other) else { return false }
        return first.st_dev == second.st_dev
    }

    /// Whether both are names of one file, or lead to one.
    static func isSame(_ one: String, _ other: String) -> Bool {
        guard let (first, second) = status(one, other) else { return false }
        return first.st_dev == second.st_dev && first.st_ino == second.st_ino
    }

    private static func status(_ one: String, _ other: String) -> (stat, stat)? {
        var (first, second) = (stat(), stat())
        return stat(one, &first) == 0 && stat(other, &second) == 0 ? (first, second) : nil
    }

    static func copyResult(from source: String, to target: String) -> Result<Way, HypervisorError> {
        let input = open(source, O_RDONLY | O_CLOEXEC)
        guard input >= 0 else { return .failure(HypervisorError.file("read", source)) }
        defer { close(input) }
        let output = open(target, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0o600)
        guard output >= 0 else { return .failure(HypervisorError.file("create", target)) }
        defer { close(output) }
        let way: Way
        if ioctl(output, ficlone, input) == 0 {
            way = .reflink
        } else if let error = copyData(input, output) {
            let result = HypervisorError.file("copy \(source) to", target, error)
            unlink(target)
            return .failure(result)
        } else {
            way = .sparse
        }
        guard fsync(output) == 0 else {
            let result = HypervisorError.file("sync", target)
            unlink(target)
            return .failure(result)
        }
        return .success(way)
    }

    static func sync(_ path: String) -> HypervisorError? {
        let number = open(path, O_RDONLY | O_CLOEXEC)
        guard number >= 0 else { return HypervisorError.file("open", path) }
        defer { close(number) }
        return fsync(number) == 0 ? nil : HypervisorError.file("sync", path)
    }

    /// _IOW(0x94, 9, int) of linux/fs.h, a macro that does not reach Swift.
    private static let ficlone: UInt = 0x4004_9409

    /// - Returns: errno of what failed.
    static func copyData(_ input: Int32, _ output: Int32) -> Int32? {
        var status = stat()
        guard fstat(input, &status) == 0, ftruncate(output, status.st_size) == 0 else { return errno }
        return FileExtents.walk(input, hole: { _ in }, data: { FileExtents.write($0, to: output, at: $1) })
    }

    /// Into a file that can be mapped, but not written. Its pages are reserved when it is mapped: there is no running out of them later.
    private static func copyData(_ input: Int32, mapped output: Int32) -> Int32? {
        var status = stat()
        guard fstat(output, &status) == 0 else { return errno }
        let size = Int(status.st_size)
        guard let base = mmap(nil, size, PROT_READ | PROT_WRITE, MAP_SHARED, output, 0), base != MAP_FAILED else {
            return errno
        }
        defer { munmap(base, size) }
        return FileExtents.walk(
            input,
            hole: { _ in },
            data: { bytes, offset in
                guard let source = bytes.baseAddress, Int(offset) + bytes.count <= size else { return EFBIG }
                memcpy(base + Int(offset), source, bytes.count)
                return nil
            }
        )
    }
}
