import Foundation
import Testing

@testable import Hypervisor

struct RAMDigestTests {
    /// As docs/checkpoint-format.md describes it, made by another program.
    private static let known = "a3bf177717dd6ad69fbb9daffb3b98367a32b4f3ff40748ec1ce7964656f5436"

    private func file(_ folder: ScratchFolder, _ name: String, holes: Bool) throws -> String {
        let path = folder.file(name)
        #expect(FileManager.default.createFile(atPath: path, contents: nil))
        let handle = try #require(FileHandle(forWritingAtPath: path))
        try handle.write(contentsOf: Data(repeating: 1, count: 4096))
        if holes { try handle.seek(toOffset: 8192) } else { try handle.write(contentsOf: Data(count: 4096)) }
        try handle.write(contentsOf: Data(repeating: UInt8(ascii: "a"), count: 4096))
        try handle.close()
        return path
    }

    @Test func zerosAndHolesAreTheSame() async throws {
        let folder = try ScratchFolder()
        for holes in [true, false] {
            let path = try file(folder, "ram-\(holes)", holes: holes)
            #expect(try await RAMDigest.of(path) == Self.known)
        }
    }

    @Test func placeAndLengthCount() async throws {
        let folder = try ScratchFolder()
        let path = try file(folder, "ram", holes: true)
        let handle = try #require(FileHandle(forUpdatingAtPath: path))
        try handle.truncate(atOffset: 16384)
        #expect(try await RAMDigest.of(path) != Self.known)
        try handle.truncate(atOffset: 12288)
        #expect(try await RAMDigest.of(path) == Self.known)
        try handle.seek(toOffset: 4096)
        try handle.write(contentsOf: Data([0, 1]))
        #expect(try await RAMDigest.of(path) != Self.known)
    }

    @Test func pagesAcrossReadsAreTheSamePages() async throws {
        let folder = try ScratchFolder()
        let path = folder.file("ram")
        // A megabyte is what is read at once; the run of data begins before and ends behind its border.
        var bytes = Data(count: 3 << 20)
        for offset in (1 << 20) - 6000..<(1 << 20) + 6000 { bytes[offset] = UInt8(truncatingIfNeeded: offset) | 1 }
        try bytes.write(to: URL(filePath: path))
        var digest = RAMDigest()
        _ = bytes.withUnsafeBytes { all in
            SparsePages.forEachRun(in: all) { run, offset in
                digest.update(run, at: UInt64(offset))
                return nil
            }
        }
        #expect(try await RAMDigest.of(path) == digest.hex(length: 3 << 20))
    }
}
