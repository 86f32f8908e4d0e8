import Glibc

/// A log file, read on from where it was read to.
struct SerialLogReader {
    var text = SerialText()
    private var position: off_t = 0

    /// A log that is not there, or cannot be read, has said nothing yet.
    mutating func readOn(_ path: String) {
        let file = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK)
        guard file >= 0 else { return }
        defer { close(file) }
        var status = stat()
        // Another one by the same name begins anew.
        if fstat(file, &status) == 0, status.st_size < position { position = 0 }
        var buffer = [UInt8](repeating: 0, count: 64 << 10)
        while true {
            let count = pread(file, &buffer, buffer.count, position)
            guard count > 0 else { return }
            position += off_t(count)
            text.take(buffer.prefix(count))
        }
    }
}
