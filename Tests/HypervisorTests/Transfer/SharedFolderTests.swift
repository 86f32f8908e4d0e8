import FoundationEssentials
import Glibc
import HypervisorAPI
import Logging
import Testing

@testable import Hypervisor

/// What comes from another host is taken from a folder that both see, if it is what was saved.
struct SharedFolderTests {
    private static let path = "machines/bmc/state.qemu"

    private let scratch: ScratchFolder
    private let there: String
    private let target: FilePlace
    private let bytes = [UInt8](repeating: 7, count: 300_000)

    init() throws {
        scratch = try ScratchFolder()
        there = scratch.file("nfs/lab/s1/\(Self.path)")
        target = FilePlace(folder: scratch.file("home/checkpoints/lab/s2.partial.arriving"), path: Self.path)
        for folder in ["empty", "home/checkpoints/lab", "nfs/lab/s1/machines/bmc"] {
            try FileManager.default.createDirectory(atPath: scratch.file(folder), withIntermediateDirectories: true)
        }
        try Data(bytes).write(to: URL(filePath: there))
    }

    private func order(
        _ role: CheckpointFile.Role = .state,
        digest: String?,
        size: Int? = nil,
        folder: String = "checkpoints/lab/s1"
    ) -> SharedFileOrder {
        SharedFileOrder(
            file: CheckpointFile(
                role: role,
                path: Self.path,
                bytes: UInt64(size ?? bytes.count),
                sha256: digest
            ),
            source: FilePlace(folder: scratch.file("home/\(folder)"), path: Self.path),
            target: target
        )
    }

    private func copy(_ order: SharedFileOrder) async throws -> Bool {
        let hypervisor = try await LocalHypervisor(
            home: scratch.file("home"),
            host: "here",
            ramFolder: scratch.path,
            sharedFolders: [scratch.file("empty"), scratch.file("nfs")],
            logger: Logger(label: "test")
        )
        return try await hypervisor.copyShared(order)
    }

    private var isEmpty: Bool { access(target.absolute, F_OK) != 0 }

    @Test func `what is the same is copied, over what had come of it already`() async throws {
        let digest = try await FileDigest.sha256(of: there)
        #expect(try await copy(order(digest: digest)))
        #expect(try Data(contentsOf: URL(filePath: target.absolute)) == Data(bytes))
        try Data(bytes + bytes).write(to: URL(filePath: target.absolute))
        #expect(try await copy(order(digest: digest)))
        #expect(try Data(contentsOf: URL(filePath: target.absolute)) == Data(bytes))
        #expect(try Data(contentsOf: URL(filePath: there)) == Data(bytes))
    }

    @Test func `RAM is compared by its own digest, and its holes stay holes`() async throws {
        truncate(there, 64 << 20)
        #expect(try await copy(order(.ram, digest: try await RAMDigest.of(there), size: 64 << 20)))
        var status = stat()
        #expect(stat(target.absolute, &status) == 0 && status.st_size == 64 << 20 && status.st_blocks < 4096)
    }

    @Test func `what is other than it was saved is not taken, and nothing of it stays`() async throws {
        let digest = try await FileDigest.sha256(of: there)
        var other = bytes
        other[200_000] ^= 1
        try Data(other).write(to: URL(filePath: there))
        #expect(try await !copy(order(digest: digest)))
        #expect(isEmpty)
    }

    @Test func `what has no digest, lies elsewhere, or is no such file comes by another way`() async throws {
        let digest = try await FileDigest.sha256(of: there)
        #expect(try await !copy(order(digest: nil)))
        #expect(try await !copy(order(digest: digest, folder: "exports/lab/s1")))
        #expect(try await !copy(order(digest: digest, size: 299_999)))
        rename(there, there + ".real")
        #expect(try await !copy(order(digest: digest)))
        symlink(there + ".real", there)
        #expect(try await !copy(order(digest: digest)), "no link is followed")
        unlink(there)
        mkfifo(there, 0o600)
        #expect(try await !copy(order(digest: digest)))
        #expect(isEmpty)
    }

    @Test func `what is there of that name already is not written over`() async throws {
        mkdir(scratch.file("home/checkpoints/lab/s2"), 0o700)
        let digest = try await FileDigest.sha256(of: there)
        let error = await #expect(throws: HypervisorError.self) { try await copy(order(digest: digest)) }
        #expect(error?.reasons.map(\.code) == ["checkpoint-exists"])
    }
}
