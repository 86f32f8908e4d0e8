import Glibc
import MigrationStream
import Synchronization
import TestCommand

/// A stream of a real QEMU, see qemu-fixtures/record-streams.py.
struct Recording: Hashable, CustomStringConvertible, Sendable {
    let name: String

    var description: String { name }

    /// Whole streams that describe themselves.
    static let described: [Recording] = all.filter { recording in
        !["nodescription", "dump", "nofooter", "postcopy", "multifd-socket"].contains { recording.name.contains($0) }
    }
    /// Those of them that are small enough to be worked over a thousand times.
    static let small: [Recording] = described.filter { recording in
        ["microvm-7.2", "microvm-10.0", "riscv-10.0", "s390x-10.0"].contains(recording.name)
    }
    static let all: [Recording] = names.map(Recording.init)

    /// QEMU before 10.0 gives the array of channel subsystems a wrong length: the description contradicts the stream.
    var isDescribedWrongly: Bool { name == "s390x-7.2" }

    private static let names = [
        "pc-7.2", "pc-10.0", "pc-unstarted-7.2", "pc-unstarted-10.0", "pc-2cpu-10.0", "pc-icount-10.0",
        "pc-shared-7.2", "pc-shared-10.0", "pc-uuid-10.0", "pc-mapped-10.0", "pc-mapped-multifd-10.0",
        "pc-compress-7.2", "pc-decoy-7.2", "pc-decoy-10.0", "pc-nodescription-7.2", "pc-nodescription-10.0",
        "pc-noconfiguration-7.2", "pc-nofooter-10.0", "pc-dump-7.2", "pc-dump-10.0", "pc-postcopy-10.0",
        "pc-multifd-socket-10.0", "q35-7.2", "q35-10.0", "q35-devices-10.0", "microvm-7.2", "microvm-10.0",
        "virt-7.2", "virt-10.0", "virt-unstarted-7.2", "virt-unstarted-10.0", "virt-mapped-10.0",
        "virt-xbzrle-10.0", "virt-decoy-7.2", "virt-decoy-10.0", "virt-dump-7.2", "virt-dump-10.0", "riscv-7.2",
        "riscv-10.0", "s390x-7.2", "s390x-10.0", "pseries-7.2", "pseries-10.0", "ast2600-7.2", "ast2600-10.0",
    ]

    private static let packed =
        #filePath.split(separator: "/").dropLast(3).map { "/" + $0 }.joined()
        + "/qemu-fixtures/streams"

    /// The stream in a file that has no name any more.
    func file() throws -> FileSource {
        var template = Array("/tmp/fermata-recording-XXXXXX".utf8CString)
        let descriptor = mkstemp(&template)
        guard descriptor >= 0 else { throw Failure(description: "no temporary file: \(errno)") }
        unlink(template)
        defer { close(descriptor) }
        try TestCommand.run(["/usr/bin/xz", "-dc", "\(Self.packed)/\(name).stream.xz"], output: descriptor)
        return try FileSource(descriptor: descriptor)
    }

    private static let unpacked = Mutex<[String: [UInt8]]>([:])

    func bytes() throws -> [UInt8] {
        if let bytes = Self.unpacked.withLock({ $0[name] }) { return bytes }
        let file = try file()
        let bytes = try file.read(at: 0, count: Int(file.size))
        Self.unpacked.withLock { $0[name] = bytes }
        return bytes
    }

    func map() throws -> CheckpointStream { try CheckpointStream(reading: MemorySource(bytes())) }

    struct Failure: Error, CustomStringConvertible {
        var description: String
    }
}
