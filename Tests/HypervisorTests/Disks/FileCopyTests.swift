import Glibc
import HypervisorAPI
import Testing

@testable import Hypervisor

@Suite("FileCopy and FileDigest")
struct FileCopyTests {
    /// 8 MiB with data only at the beginning, in the middle and before the hole at the end.
    private func makeSparse(_ path: String) {
        let number = open(path, O_WRONLY | O_CREAT | O_CLOEXEC, 0o600)
        let block = (0..<4096).map { UInt8(truncatingIfNeeded: $0 &* 31) }
        for offset in [0, 3 << 20, 5 << 20] as [off_t] {
            _ = block.withUnsafeBytes { pwrite(number, $0.baseAddress, $0.count, offset) }
        }
        ftruncate(number, 8 << 20)
        close(number)
    }

    private func blocks(_ path: String) -> Int {
        var status = stat()
        stat(path, &status)
        return Int(status.st_blocks)
    }

    /// As coreutils reckons it, without a hole.
    private func digest(_ bytes: some Collection<UInt8>) async throws -> String {
        let scratch = try ScratchFolder()
        scratch.write(Array(bytes), to: "plain")
        let output = try await ShortCommand(arguments: ["sha256sum", scratch.file("plain")]).runSuccessfully()
        return String(decoding: output.standardOutput.prefix(64), as: UTF8.self)
    }

    @Test("a copy has the same bytes and the same holes")
    func sparse() async throws {
        let scratch = try ScratchFolder()
        makeSparse(scratch.file("a"))
        _ = try await FileCopy.copy(from: scratch.file("a"), to: scratch.file("b"))
        let bytes = try #require(ProcFile.read(scratch.file("a"), limit: 16 << 20))
        #expect(bytes.count == 8 << 20)
        #expect(ProcFile.read(scratch.file("b"), limit: 16 << 20) == bytes)
        #expect(blocks(scratch.file("b")) <= blocks(scratch.file("a")) + 8)
        #expect(blocks(scratch.file("b")) * 512 < 1 << 20)
        let expected = try await digest(bytes)
        #expect(try await FileDigest.sha256(of: scratch.file("a")) == expected)
        #expect(try await FileDigest.sha256(of: scratch.file("b")) == expected)
    }

    @Test("a digest can begin anywhere", arguments: [0, 1, 4095, 4096, 2 << 20, (3 << 20) + 5, 8 << 20])
    func offset(_ offset: Int) async throws {
        let scratch = try ScratchFolder()
        makeSparse(scratch.file("a"))
        let bytes = try #require(ProcFile.read(scratch.file("a"), limit: 16 << 20))
        let expected = try await digest(bytes[offset...])
        #expect(try await FileDigest.sha256(of: scratch.file("a"), from: UInt64(offset)) == expected)
    }

    @Test("all hole, and nothing at all")
    func edges() async throws {
        let scratch = try ScratchFolder()
        scratch.write([], to: "empty")
        scratch.write([], to: "hole")
        truncate(scratch.file("hole"), 3 << 20)
        for name in ["empty", "hole"] {
            _ = try await FileCopy.copy(from: scratch.file(name), to: scratch.file(name + "2"))
            #expect(ProcFile.read(scratch.file(name)) == ProcFile.read(scratch.file(name + "2")))
        }
        let empty = "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"
        #expect(try await FileDigest.sha256(of: scratch.file("empty")) == empty)
    }

    @Test("nothing is overwritten, and nothing is left of a copy that failed")
    func failures() async throws {
        let scratch = try ScratchFolder()
        scratch.write([1], to: "a")
        scratch.write([2], to: "b")
        await #expect(throws: HypervisorError.self) {
            try await FileCopy.copy(from: scratch.file("a"), to: scratch.file("b"))
        }
        #expect(ProcFile.read(scratch.file("b")) == [2])
        await #expect(throws: HypervisorError.self) {
            try await FileCopy.copy(from: scratch.file("none"), to: scratch.file("c"))
        }
        // A folder opens and cannot be read.
        await #expect(throws: HypervisorError.self) {
            try await FileCopy.copy(from: scratch.path, to: scratch.file("d"))
        }
        #expect(scratch.names == ["a", "b"])
    }
}
