import Glibc
import HypervisorAPI
import MigrationStream
import Testing

@testable import Hypervisor

@Suite("StreamSplitter")
struct StreamSplitterTests {
    private static let page = [UInt8](repeating: 0xa5, count: 4096)
    private static let memory = MachineRecord.Memory(id: "pc.ram", path: "/nowhere", bytes: 3 << 20, shared: true)

    private static func number(_ value: UInt64, _ width: Int) -> [UInt8] {
        (0..<width).map { UInt8(truncatingIfNeeded: value >> (8 * (width - 1 - $0))) }
    }

    private static func name(_ text: String) -> [UInt8] { [UInt8(text.utf8.count)] + Array(text.utf8) }

    private static let head: [UInt8] =
        Array("QEVM".utf8) + number(3, 4) + [7] + number(1, 4) + Array("m".utf8)
        + [1] + number(2, 4) + name("ram") + number(0, 4) + number(4, 4)
        + number(3 << 20 | 0x2000 | 4, 8) + name("pc.ram") + number(3 << 20, 8) + name("rom") + number(8192, 8)
        + number(16, 8) + [0x7e] + number(2, 4) + [2] + number(2, 4)
    private static let tail: [UInt8] =
        number(16, 8) + [0x7e] + number(2, 4) + [4] + (0..<5000).map { UInt8(truncatingIfNeeded: $0) }

    /// Every second page of RAM has something in it, and the last is written twice; a ROM lies between.
    private static let stream: [UInt8] =
        head + number(8, 8) + name("rom") + page
        + (0..<768).flatMap { index -> [UInt8] in
            let word = UInt64(index) << 12 | (index == 0 ? 0 : 0x20)
            let named = index == 0 ? name("pc.ram") : []
            return index % 2 == 0 ? number(word | 2, 8) + named + [0] : number(word | 8, 8) + named + page
        }
        + number(767 << 12 | 0x22, 8) + [0] + number(4096 | 2, 8) + name("rom") + [0] + tail

    private static let left: [UInt8] =
        head + number(8, 8) + name("rom") + page + number(4096 | 2, 8) + name("rom") + [0] + tail

    private static var expected: [UInt8] {
        (0..<768).flatMap { $0 % 2 == 0 || $0 == 767 ? [UInt8](repeating: 0, count: 4096) : page }
    }

    private static func feed(_ bytes: [UInt8], into stream: HeldStream) async throws {
        let input = try #require(stream.takeInput())
        stream.open()
        await BlockingThread.run {
            withExtendedLifetime(input) {
                var rest = bytes[...]
                while !rest.isEmpty {
                    let count = rest.withUnsafeBytes {
                        Glibc.write(input.number, $0.baseAddress, min($0.count, 30_000))
                    }
                    guard count > 0 else { return }
                    rest = rest.dropFirst(count)
                }
            }
        }
    }

    @Test("pages of the machine's memory get into files of their own, in memory, too, and the rest is a stream")
    func split() async throws {
        let scratch = try ScratchFolder()
        let store = RAMStore(home: scratch.path, wanted: nil)
        defer { rmdir(store.warmFolder); rmdir(store.folder) }
        let path = scratch.file("ram")
        let ram = try #require(SeparateRAM(of: Self.memory, at: path, second: store))
        let stream = try HeldStream(into: scratch.file("state"), ram: ram)
        stream.learn(pageSize: 4096)
        try await Self.feed(Self.stream, into: stream)
        #expect(await stream.failure() == nil)
        #expect(await stream.isSeparated())
        #expect(ProcFile.read(path) == Self.expected)
        #expect(ProcFile.read(scratch.file("state")) == Self.left)
        let warm = path + CheckpointRAM.warmSuffix
        if let second = store.file(behind: warm) {
            #expect(second.hasPrefix(store.warmFolder + "/"))
            #expect(ProcFile.read(second) == Self.expected)
        } else {
            print("no second copy: this host has no memory to spare")
        }
        store.remove(warm)
    }

    @Test("a stream of another form is in its file as it was, and no RAM beside it", arguments: [nil, 4096])
    func whole(pageSize: Int?) async throws {
        let scratch = try ScratchFolder()
        let store = RAMStore(home: scratch.path, wanted: scratch.path)
        var memory = Self.memory
        if pageSize != nil { memory.bytes -= 4096 }
        let ram = try #require(SeparateRAM(of: memory, at: scratch.file("ram"), second: store))
        let stream = try HeldStream(into: scratch.file("state"), ram: ram)
        stream.learn(pageSize: pageSize)
        try await Self.feed(Self.stream, into: stream)
        #expect(await stream.failure() == nil)
        #expect(await !stream.isSeparated())
        #expect(ProcFile.read(scratch.file("state")) == Self.stream)
        #expect(access(scratch.file("ram"), F_OK) != 0)
        #expect(store.file(behind: scratch.file("ram") + CheckpointRAM.warmSuffix) == nil)
    }

    @Test("what cannot follow fails the save, and QEMU with it")
    func broken() async throws {
        signal(SIGPIPE, SIG_IGN)
        let scratch = try ScratchFolder()
        let ram = try #require(SeparateRAM(of: Self.memory, at: scratch.file("ram"), second: nil))
        let stream = try HeldStream(into: scratch.file("state"), ram: ram)
        stream.learn(pageSize: 4096)
        try await Self.feed(Self.head + Self.number(0x80, 8) + Self.stream, into: stream)
        let failure = try #require(await stream.failure())
        #expect(failure.reasons.first?.code == "migration-failed")
        #expect(failure.description.contains("0x80"))
        #expect(await !stream.isSeparated())
        #expect(access(scratch.file("ram"), F_OK) != 0)
    }

    @Test("RAM that can have no file stays in the stream")
    func tooLarge() async throws {
        let scratch = try ScratchFolder()
        var memory = Self.memory
        memory.bytes = .max
        #expect(SeparateRAM(of: memory, at: scratch.file("ram"), second: nil) == nil)
        #expect(access(scratch.file("ram"), F_OK) != 0)
    }
}
