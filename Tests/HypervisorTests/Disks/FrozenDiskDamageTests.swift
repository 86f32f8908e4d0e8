import Glibc
import HypervisorAPI
import Testing

@testable import Hypervisor

@Suite("Damage to frozen disks")
struct FrozenDiskDamageTests {
    private func disk(_ path: String, at real: String, below: [String] = []) async throws -> FrozenDisk {
        FrozenDisk(
            id: "root",
            format: "raw",
            file: CheckpointFile(
                role: .disk,
                path: path,
                bytes: try FileDigest.size(of: real),
                sha256: try await FileDigest.sha256(of: real)
            ),
            backingFiles: below
        )
    }

    private func damage(_ disk: FrozenDisk, _ scratch: ScratchFolder) async -> [String] {
        let reasons = await CheckpointFolder(path: scratch.path).damage(to: [disk])
        #expect(reasons.allSatisfy { $0.code == "checkpoint-corrupt" })
        return reasons.map(\.message)
    }

    @Test("an image in the folder is compared as a whole, and what lies below it has to be there")
    func inside() async throws {
        let scratch = try ScratchFolder()
        scratch.write([1, 2, 3], to: "layer")
        scratch.write([0], to: "base")
        let disk = try await disk("layer", at: scratch.file("layer"), below: [scratch.file("base")])
        #expect(await damage(disk, scratch) == [])
        scratch.write([1, 2, 4], to: "layer")
        unlink(scratch.file("base"))
        let both = await damage(disk, scratch)
        #expect(both.count == 2)
        #expect(
            both.contains { $0.contains(scratch.file("layer")) } && both.contains { $0.contains(scratch.file("base")) }
        )
        unlink(scratch.file("layer"))
        #expect(await damage(disk, scratch).contains { $0.contains("missing") })
    }

    @Test("a large image that was left in place is compared by its size alone, a small one as a whole")
    func outside() async throws {
        let scratch = try ScratchFolder()
        for (size, isRead) in [(CheckpointFolder.digestedBefore, true), (CheckpointFolder.digestedBefore + 1, false)] {
            let path = scratch.file("image")
            scratch.write([1], to: "image")
            #expect(truncate(path, off_t(size)) == 0)
            let disk = try await disk(path, at: path)
            #expect(await damage(disk, scratch) == [])
            scratch.write([2], to: "image")
            #expect(truncate(path, off_t(size)) == 0)
            #expect(await damage(disk, scratch).isEmpty != isRead)
            #expect(truncate(path, off_t(size) + 1) == 0)
            #expect(await damage(disk, scratch).contains { $0.contains("bytes instead of") })
            unlink(path)
            #expect(await damage(disk, scratch).contains { $0.contains("missing") })
        }
    }
}
