import Testing

@testable import MigrationStream

@Suite struct RAMSeparatorTests {
    private static let classic = Recording.described.filter { recording in
        !["mapped", "shared", "noconfiguration", "xbzrle", "compress", "ast2600", "pseries", "s390x", "q35-devices"]
            .contains { recording.name.contains($0) }
    }

    @Test(arguments: classic)
    func `A real stream keeps all but the pages of its largest block, in whatever pieces it comes`(
        recording: Recording
    ) throws {
        let bytes = try recording.bytes()
        let whole = try recording.map()
        let block = try #require(whole.ramBlocks.max { $0.length < $1.length })
        let pages = try PageTable(bytes)
        var numbers = SeededGenerator(seed: 3)
        let random = (0..<97).map { _ in Int.random(in: 1...20_000, using: &numbers) }
        for chunks in [[1 << 20], random, [65_536, 1]] {
            let separation = try Separation(of: bytes, block: block.name, bytes: block.length, chunks: chunks)
            #expect(separation.isSeparating)
            #expect(separation.pages == pages.pages[block.name])
            #expect(UInt64(separation.pages.count) * 4096 == block.length)

            let left = try CheckpointStream(reading: MemorySource(separation.left))
            #expect(left.ramBlocks == whole.ramBlocks)
            #expect(left.sections.map(\.idstr) == whole.sections.map(\.idstr))
            #expect(
                separation.left[Int(left.deviceStateOffset)...].elementsEqual(bytes[Int(whole.deviceStateOffset)...])
            )
            var others = pages.pages
            others[block.name] = nil
            var there = try PageTable(separation.left).pages
            #expect((there[block.name]?.count ?? 0) <= 1)
            there[block.name] = nil
            #expect(there == others)
            #expect(separation.left.count < bytes.count)
        }
    }

    @Test(arguments: [
        "pc-shared-10.0", "pc-mapped-10.0", "virt-mapped-10.0", "pc-nofooter-10.0", "s390x-10.0", "pc-dump-10.0",
        "q35-devices-10.0",
    ])
    func `A stream of another form is left as it is`(name: String) throws {
        let recording = Recording(name: name)
        let bytes = try recording.bytes()
        let block = (try? recording.map())?.ramBlocks.max { $0.length < $1.length }
        let separation = try Separation(
            of: bytes,
            block: block?.name ?? "pc.ram",
            bytes: block?.length ?? 8 << 20,
            chunks: [70_000]
        )
        #expect(!separation.isSeparating)
        #expect(separation.pages.isEmpty)
        #expect(separation.left == bytes)
    }

    @Test func `A block of another length, or another size of pages, leaves the stream as it is`() throws {
        let recording = Recording(name: "virt-10.0")
        let bytes = try recording.bytes()
        let block = try #require(try recording.map().ramBlocks.max { $0.length < $1.length })
        for (name, length, pageSize) in [
            (block.name, block.length - 4096, 4096), ("other", block.length, 4096), (block.name, block.length, 8192),
            (block.name, block.length, 3000), (block.name, block.length, 0),
        ] {
            let separation = try Separation(
                of: bytes,
                block: name,
                bytes: length,
                pageSize: pageSize,
                chunks: [1 << 16]
            )
            #expect(!separation.isSeparating && separation.left == bytes, "\(name) \(length) \(pageSize)")
        }
    }

    private static let page = [UInt8](repeating: 7, count: 4096)

    /// Two blocks of three pages each, `a` and `b`.
    private static let start = StreamBuilder.head().section(1, 2, "ram", version: 4)
        .u64(24576 | 4).name("a").u64(12288).name("b").u64(12288).u64(16).footer(2).u8(2).u32(2)
    private static let end = StreamBuilder().u64(16).footer(2).u8(3).u32(2).u64(16).footer(2).device().u8(0).bytes

    private func separated(_ words: StreamBuilder, chunks: [Int] = [1 << 20]) throws(StreamError) -> Separation {
        try Separation(of: Self.start.bytes + words.bytes, block: "a", bytes: 12288, chunks: chunks)
    }

    @Test(arguments: [1, 3, 5000])
    func `A page that was of the same block as the one before gets its name back when that is gone`(chunk: Int) throws {
        let words = StreamBuilder()
            .u64(8).name("b").appending(Self.page)
            .u64(8).name("a").appending(Self.page)
            .u64(4096 | 2 | 0x20).u8(0)
            .u64(4096 | 8).name("b").appending(Self.page)
            .u64(8192 | 2).name("a").u8(0)
            .u64(8192 | 0x40 | 0x20).u8(1).u16(3).appending([1, 2, 3])
            .u64(8192 | 0x40 | 0x20).u8(1).u16(1).appending([9])
            .u64(8192 | 0x100).name("b").u32(2).appending([4, 5])
            .u64(0x200).appending(Self.end)
        let separation = try separated(words, chunks: [chunk])
        #expect(separation.pages == [0: Self.page, 4096: [], 8192: []])
        let left = Self.start
            .u64(8).name("b").appending(Self.page)
            .u64(4096 | 8).name("b").appending(Self.page)
            .u64(8192 | 0x40).name("a").u8(1).u16(3).appending([1, 2, 3])
            .u64(8192 | 0x40 | 0x20).u8(1).u16(1).appending([9])
            .u64(8192 | 0x100).name("b").u32(2).appending([4, 5])
            .u64(0x200).appending(Self.end)
        #expect(separation.left == left.bytes)
    }

    @Test func `RAM may end without a last part, as that of a save behind the guest's back does`() throws {
        let words = StreamBuilder().u64(8).name("b").appending(Self.page).u64(2).name("a").u8(0).u64(16).footer(2)
        let rest = StreamBuilder().device().u8(0).bytes
        let separation = try separated(words.appending(rest), chunks: [700])
        #expect(separation.pages == [0: []])
        let left = Self.start.u64(8).name("b").appending(Self.page).u64(16).footer(2).appending(rest)
        #expect(separation.left == left.bytes)
    }

    @Test func `What comes again of a page that was left is left, too, and not overtaken by the older`() throws {
        let other = [UInt8](repeating: 9, count: 4096)
        let words = StreamBuilder()
            .u64(8).name("a").appending(Self.page)
            .u64(4096 | 8 | 0x20).appending(Self.page)
            .u64(8192 | 0x40 | 0x20).u8(1).u16(1).appending([1])
            .u64(4096 | 2 | 0x20).u8(0)
            .u64(2 | 0x20).u8(0)
            .u64(8192 | 8 | 0x20).appending(other)
            .u64(4096 | 2 | 0x20).u8(7)
            .appending(Self.end)
        let separation = try separated(words)
        #expect(separation.pages == [0: [], 4096: [], 8192: other])
        let left = Self.start
            .u64(8).name("a").appending(Self.page)
            .u64(8192 | 0x40 | 0x20).u8(1).u16(1).appending([1])
            .u64(2 | 0x20).u8(0)
            .u64(8192 | 8 | 0x20).appending(other)
            .u64(4096 | 2 | 0x20).u8(7)
            .appending(Self.end)
        #expect(separation.left == left.bytes)
    }

    @Test func `Of a stream with no other pages the first one stays, too`() throws {
        let words = StreamBuilder().u64(8).name("a").appending(Self.page).u64(4096 | 2 | 0x20).u8(0)
        let separation = try separated(words.appending(Self.end))
        #expect(separation.pages == [0: Self.page, 4096: []])
        #expect(
            separation.left == Self.start.u64(8).name("a").appending(Self.page).appending(Self.end).bytes
        )
    }

    @Test func `What cannot follow is refused, for pages are gone by then`() {
        func expect(_ kind: StreamError.Kind, _ words: StreamBuilder, sourceLocation: SourceLocation = #_sourceLocation)
        {
            let error = #expect(throws: StreamError.self, sourceLocation: sourceLocation) { try separated(words) }
            #expect(error?.kind == kind, "\(error.map(\.description) ?? "")", sourceLocation: sourceLocation)
            #expect(
                (error?.offset).map { $0 >= UInt64(Self.start.bytes.count) } == true,
                sourceLocation: sourceLocation
            )
        }
        expect(.corrupt, StreamBuilder().u64(12288 | 8).name("a").appending(Self.page))
        expect(.corrupt, StreamBuilder().u64(~0xfff | 2).name("a").u8(0))
        expect(.corrupt, StreamBuilder().u64(2 | 0x20).u8(0))
        expect(.corrupt, StreamBuilder().u64(0x80))
        expect(.corrupt, StreamBuilder().u64(0x100).name("b").u32(.max))
        expect(.corrupt, StreamBuilder().u64(16).u8(0x7e).u32(3))
        expect(.corrupt, StreamBuilder().u64(16).footer(2).u8(2).u32(9))
        expect(.unsupported, StreamBuilder().u64(16).footer(2).u8(1).u32(9))
    }

    @Test(arguments: ["microvm-10.0", "riscv-10.0"])
    func `Damage at any place is refused or changes what is there; nothing is read beyond the end`(name: String) throws
    {
        let recording = Recording(name: name)
        let bytes = try recording.bytes()
        let whole = try recording.map()
        let block = try #require(whole.ramBlocks.max { $0.length < $1.length })
        var numbers = SeededGenerator(seed: 11)
        for turn in 0..<300 {
            var damaged = Array(bytes.prefix(Int.random(in: 1...min(bytes.count, 200_000), using: &numbers)))
            for _ in 0..<turn % 4 {
                damaged[Int.random(in: 0..<damaged.count, using: &numbers)] = .random(in: 0...255, using: &numbers)
            }
            let chunks = [Int.random(in: 1...40_000, using: &numbers)]
            do throws(StreamError) {
                let separation = try Separation(of: damaged, block: block.name, bytes: block.length, chunks: chunks)
                let taken = separation.pages.keys
                #expect(taken.allSatisfy { $0 < block.length })
                #expect(separation.isSeparating || separation.left == damaged)
            } catch {
                #expect(!error.description.isEmpty)
            }
        }
    }
}
