import Glibc
import HypervisorAPI
import MigrationStream

/// Moves a stream from a pipe into two files: a machine's RAM into its own, and all the rest, a stream again, into the other.
struct StreamSplitter: ~Copyable {
    private static let chunk = 1 << 20

    private let ram: SeparateRAM
    private let path: String
    private var separator: RAMSeparator
    private var pages: PageRuns
    /// Bytes from the pipe that are no whole piece yet.
    private var input = [UInt8](repeating: 0, count: chunk + RAMSeparator.setupBytes)
    private var range = 0..<0
    private var output: [UInt8] = []
    private var written: off_t = 0

    /// - Parameters:
    ///   - pageSize: of the emulated machine, bytes.
    ///   - path: of the rest, for the words of an error.
    init(_ ram: SeparateRAM, pageSize: Int, path: String) {
        self.ram = ram
        self.path = path
        separator = RAMSeparator(block: ram.memory.id, blockBytes: ram.memory.bytes, pageSize: pageSize)
        pages = PageRuns(
            file: ram.file.number,
            second: ram.begin(),
            bytes: ram.memory.bytes,
            pageSize: pageSize
        )
    }

    /// - Returns: at the stream's end: whether its RAM is in a file of its own. Where not, all is in the other one.
    mutating func move(from pipe: Int32, to file: Int32) throws(HypervisorError) -> Bool {
        while try read(pipe) {
            try split()
            if output.count >= Self.chunk { try flush(to: file) }
        }
        output += input[range]
        try flush(to: file)
        if let error = pages.flush() { throw .file("write", ram.path, error) }
        if separator.isSeparating { ram.end(second: pages.second != nil) } else { ram.remove() }
        return separator.isSeparating
    }

    /// - Returns: false at the end.
    private mutating func read(_ pipe: Int32) throws(HypervisorError) -> Bool {
        if range.lowerBound > 0 {
            let count = range.count
            input.replaceSubrange(0..<count, with: Array(input[range]))
            range = 0..<count
        }
        while true {
            let room = min(Self.chunk, input.count - range.upperBound)
            let end = range.upperBound
            let count = input.withUnsafeMutableBytes { Glibc.read(pipe, $0.baseAddress?.advanced(by: end), room) }
            if count < 0, errno == EINTR { continue }
            guard count >= 0 else { throw .file("read the state of", path) }
            range = range.lowerBound..<end + count
            return count > 0
        }
    }

    private mutating func split() throws(HypervisorError) {
        while !range.isEmpty, let piece = try next() {
            let bytes = range.prefix(piece.length)
            switch piece.left {
            case .nothing: break
            case .all: output += input[bytes]
            case .behind(let prefix, let replaced):
                output += prefix
                output += input[bytes.dropFirst(replaced)]
            }
            if let page = piece.page {
                let error = pages.add(page.start.map { input[bytes.dropFirst($0)] }, at: page.offset)
                if let error { throw .file("write", ram.path, error) }
            }
            range = range.dropFirst(piece.length)
        }
    }

    private mutating func next() throws(HypervisorError) -> RAMSeparator.Piece? {
        do throws(StreamError) {
            return try separator.next(in: input, range)
        } catch {
            throw HypervisorError(code: "migration-failed", message: "what QEMU writes cannot be saved: \(error)")
        }
    }

    private mutating func flush(to file: Int32) throws(HypervisorError) {
        let error = output.withUnsafeBytes { FileExtents.write($0, to: file, at: written) }
        if let error { throw .file("write", path, error) }
        written += off_t(output.count)
        output.removeAll(keepingCapacity: true)
    }
}
