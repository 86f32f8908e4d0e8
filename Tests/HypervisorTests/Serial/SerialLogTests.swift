import FoundationEssentials
import Glibc
import HypervisorAPI
import Testing

@testable import Hypervisor

/// What came out of serial ports, from files as QEMU writes them.
struct SerialLogTests {
    private func withLog(_ body: (String) async throws -> Void) async throws {
        var template = Array("/tmp/fermata-serial-XXXXXX".utf8CString)
        try #require(mkdtemp(&template) != nil)
        let folder = String(decoding: template.dropLast().map { UInt8(bitPattern: $0) }, as: UTF8.self)
        defer { try? FileManager.default.removeItem(atPath: folder) }
        try await body("\(folder)/serial0.log")
    }

    private func append(_ bytes: [UInt8], to path: String) throws {
        let file = open(path, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0o600)
        try #require(file >= 0)
        defer { close(file) }
        try #require(write(file, bytes, bytes.count) == bytes.count)
    }

    @Test func whatWasSaidBeforeIsToldFirstThenWhatIsSaidEachByteOnce() async throws {
        try await withLog { path in
            let said = (0..<200_000).map { UInt8(truncatingIfNeeded: $0 / 3) }
            try append(said, to: path)
            let log = SerialLog(path: path)
            var heard: [UInt8] = []
            while heard.count < said.count {
                let (end, bytes) = await log.next(from: UInt64(heard.count))
                #expect(bytes.count <= SerialChunk.mostBytes)
                heard += bytes
                try #require(!bytes.isEmpty && end == UInt64(heard.count))
            }
            #expect(heard == said)
            let waiting = Task { await log.next(from: 200_000) }
            try await Task.sleep(for: .milliseconds(50))
            try append(Array("login: ".utf8), to: path)
            let (end, bytes) = await waiting.value
            #expect(end == 200_007 && bytes == Array("login: ".utf8))
        }
    }

    @Test func ofVeryMuchOnlyTheLastIsTold() async throws {
        try await withLog { path in
            try append(Array(repeating: 7, count: 300_000), to: path)
            let (end, bytes) = await SerialLog(path: path).next(from: nil)
            #expect(end - UInt64(bytes.count) == 300_000 - SerialLog.first && end <= 300_000 && !bytes.isEmpty)
        }
    }

    @Test func anotherLogIsReadFromItsBeginning() async throws {
        try await withLog { path in
            try append(Array("new".utf8), to: path)
            for offset: UInt64 in [4, .max] {
                let (end, bytes) = await SerialLog(path: path).next(from: offset)
                #expect(end == 3 && bytes == Array("new".utf8), "\(offset)")
            }
        }
    }

    /// A log that comes later has no bytes that anybody has seen.
    @Test func whatIsNotThereHasSaidNothing() async throws {
        try await withLog { path in
            let waiting = Task { await SerialLog(path: path).next(from: 2) }
            try await Task.sleep(for: .milliseconds(50))
            try append(Array("first".utf8), to: path)
            let (end, bytes) = await waiting.value
            #expect(end == 5 && bytes == Array("first".utf8))
        }
    }

    @Test func nothingButAFileIsReadAndAReaderThatIsCancelledEnds() async throws {
        try await withLog { path in
            try append(Array("secret".utf8), to: "\(path).other")
            try #require(symlink("\(path).other", path) == 0)
            let reader = Task { await SerialLog(path: path).next(from: nil) }
            reader.cancel()
            #expect(await reader.value.bytes.isEmpty)
            unlink(path)
            try #require(mkfifo(path, 0o600) == 0)
            let other = Task { await SerialLog(path: path).next(from: nil) }
            other.cancel()
            #expect(await other.value.bytes.isEmpty)
        }
    }
}
