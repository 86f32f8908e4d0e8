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
        let input = open(source, O_RDONLY | O_CLOEXEC)
        guard input >= 0 else { return false }
        defer { close(input) }
        let output = open(target, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0o600)
        guard output >= 0 else { return false }
        defer { close(output) }
        guard ioctl(output, ficlone, input) == 0, fsync(output) == 0 else {
            unlink(target)
            return false
        }
        return true
    }

    static func copyResult(from source: String, to target: String) -> Result<Way, HypervisorError> {
        let input = open(source, O_RDONLY | O_CLOEXEC)
        guard input >= 0 else { return .failure(failure("read", source)) }
        defer { close(input) }
        let output = open(target, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0o600)
        guard output >= 0 else { return .failure(failure("create", target)) }
        defer { close(output) }
        let way: Way
        if ioctl(output, ficlone, input) == 0 {
            way = .reflink
        } else if let error = copyData(input, output) {
            let result = failure("copy \(source) to", target, error)
            unlink(target)
            return .failure(result)
        } else {
            way = .sparse
        }
        guard fsync(output) == 0 else {
            let result = failure("sync", target)
            unlink(target)
            return .failure(result)
        }
        return .success(way)
    }

    static func sync(_ path: String) -> HypervisorError? {
        let number = open(path, O_RDONLY | O_CLOEXEC)
        guard number >= 0 else { return failure("open", path) }
        defer { close(number) }
        return fsync(number) == 0 ? nil : failure("sync", path)
    }

    /// _IOW(0x94, 9, int) of linux/fs.h, a macro that does not reach Swift.
    private static let ficlone: UInt = 0x4004_9409

    /// - Returns: errno of what failed.
    private static func copyData(_ input: Int32, _ output: Int32) -> Int32? {
        var status = stat()
        guard fstat(input, &status) == 0, ftruncate(output, status.st_size) == 0 else { return errno }
        var buffer = [UInt8](repeating: 0, count: 1 << 20)
        var position: off_t = 0
        while position < status.st_size {
            let data = lseek(input, position, FileHoles.seekData)
            if data < 0 {
                // ENXIO: nothing but hole up to the end.
                return errno == ENXIO ? nil : errno
            }
            let hole = lseek(input, data, FileHoles.seekHole)
            guard hole > data else { return hole < 0 ? errno : EIO }
            position = data
            while position < hole {
                let wanted = Int(min(off_t(buffer.count), hole - position))
                let count = pread(input, &buffer, wanted, position)
                if count < 0, errno == EINTR { continue }
                guard count > 0 else { return count < 0 ? errno : EIO }
                var written = 0
                while written < count {
                    let step = buffer[written..<count].withUnsafeBytes {
                        pwrite(output, $0.baseAddress, $0.count, position + off_t(written))
                    }
                    if step < 0, errno == EINTR { continue }
                    guard step > 0 else { return step < 0 ? errno : EIO }
                    written += step
                }
                position += off_t(count)
            }
        }
        return nil
    }

    private static func failure(_ verb: String, _ path: String, _ number: Int32 = errno) -> HypervisorError {
        HypervisorError(code: "file-failed", message: "cannot \(verb) \(path): \(String(cString: strerror(number)))")
    }
}
