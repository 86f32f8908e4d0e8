import FoundationEssentials
import Glibc
import JSON
import Testing

/// `inspect` on checkpoints that QEMU wrote, and on what only looks like one.
@Suite struct CLIInspectTests {
    private static var root: String {
        URL(filePath: #filePath).deletingLastPathComponent().deletingLastPathComponent().deletingLastPathComponent()
            .path
    }

    /// Recording, format, beginning of the machine's name, a clock that it must have.
    @Test(arguments: [
        ("pc-7.2", "classic", "pc-i440fx-7.2", "mc146818rtc"), ("pc-10.0", "classic", "pc-i440fx-10.0", "mc146818rtc"),
        ("q35-10.0", "classic", "pc-q35-10.0", "mc146818rtc"), ("pc-mapped-10.0", "mapped-ram", "pc-", "mc146818rtc"),
        ("virt-10.0", "classic", "virt-10.0", "pl031"), ("riscv-7.2", "classic", "virt", "goldfish_rtc"),
        ("s390x-7.2", "classic", "s390-ccw-virtio", "todclock"), ("pseries-10.0", "classic", "pseries", "spapr/rtc"),
        ("ast2600-7.2", "classic", "ast2600-evb", "aspeed.rtc"), ("microvm-7.2", "classic", "microvm", "timer"),
    ])
    func `a checkpoint that QEMU wrote is told by its sections and clocks`(
        _ name: String,
        _ format: String,
        _ machine: String,
        _ clock: String
    ) async throws {
        try await CLIHome.with { home in
            let file = "\(home.folder)/stream"
            try await CLIRun.unpack("\(Self.root)/qemu-fixtures/streams/\(name).stream.xz", to: file)
            let run = try await CLIRun.fermata(["inspect", file, "--json"], in: home)
            #expect(run.status == 0, "\(run.errors)")
            let object = try JSONValue(parsing: run.output)
            #expect(object["format"]?.stringValue == format)
            #expect(object["machineType"]?.stringValue?.hasPrefix(machine) == true)
            #expect(object["capabilities"]?.arrayValue != nil)
            let sections = try #require(object["sections"]?.arrayValue)
            for section in sections {
                for key in ["name", "vmsd"] { #expect(section[key]?.stringValue?.isEmpty == false) }
                for key in ["instance", "version", "offset", "size"] { #expect(section[key]?.uint64Value != nil) }
            }
            // Sections lie one behind the other.
            let offsets = sections.compactMap { $0["offset"]?.uint64Value }
            #expect(offsets == offsets.sorted() && offsets.count == sections.count)
            let clocks = try #require(object["clocks"]?.arrayValue)
            #expect(clocks.contains { $0["device"]?.stringValue == clock }, "\(run.output.suffix(2_000))")
            for clock in clocks {
                #expect(clock["controllable"]?.boolValue != nil)
                #expect(clock["section"]?.stringValue != nil)
                // Always there, null with a reason when it cannot be told.
                let reads = try #require(clock["readsNs"], "\(clock)")
                #expect(reads == .null || reads.int64Value != nil, "\(clock)")
                if reads == .null { #expect(clock["reason"]?.stringValue?.isEmpty == false, "\(clock)") }
            }
            let people = try await CLIRun.fermata(["inspect", file], in: home)
            #expect(people.output.contains(clock))
            #expect(people.output.contains("READS"))
            #expect(home.daemon == nil)
        }
    }

    /// The oldest QEMU that can have written it, where that can be told.
    @Test(arguments: [("pc-7.2", "7.2"), ("q35-10.0", "10.0"), ("pc-mapped-10.0", "10.0"), ("microvm-7.2", nil)])
    func `what the stream proves of its QEMU is told, and nothing else`(_ name: String, _ oldest: String?) async throws
    {
        try await CLIHome.with { home in
            let file = "\(home.folder)/stream"
            try await CLIRun.unpack("\(Self.root)/qemu-fixtures/streams/\(name).stream.xz", to: file)
            let object = try JSONValue(parsing: try await CLIRun.fermata(["inspect", file, "--json"], in: home).output)
            #expect(object["qemu"]?["atLeast"]?.stringValue == oldest)
            #expect((object["qemu"] == nil) == (oldest == nil))
        }
    }

    @Test(arguments: ["riscv-7.2"])
    func `a clock that cannot be read is null, not left out`(_ name: String) async throws {
        try await CLIHome.with { home in
            let file = "\(home.folder)/stream"
            try await CLIRun.unpack("\(Self.root)/qemu-fixtures/streams/\(name).stream.xz", to: file)
            let run = try await CLIRun.fermata(["inspect", file, "--json"], in: home)
            let clocks = try #require(try JSONValue(parsing: run.output)["clocks"]?.arrayValue)
            #expect(clocks.contains { $0["readsNs"] == .null }, "\(run.output.suffix(2_000))")
        }
    }

    @Test func `of a checkpoint whose clocks cannot be read there is still one object`() async throws {
        try await CLIHome.with { home in
            let file = "\(home.folder)/stream"
            try await CLIRun.unpack("\(Self.root)/qemu-fixtures/streams/pc-10.0.stream.xz", to: file)
            var bytes = try Data(contentsOf: URL(filePath: file))
            // A machine without the virtual clock that every machine has.
            for name in ["\u{5}timer", "\"name\": \"timer\"", "\"vmsd_name\": \"timer\""] {
                let other = Data(name.replacing("timer", with: "tymer").utf8)
                while let range = bytes.firstRange(of: Data(name.utf8)) { bytes.replaceSubrange(range, with: other) }
            }
            try bytes.write(to: URL(filePath: file))
            let run = try await CLIRun.fermata(["inspect", file, "--json"], in: home)
            #expect(run.status == 6, "\(run.errors)")
            let object = try JSONValue(parsing: run.output)
            #expect(object["code"]?.stringValue == "clocks-not-readable" && object["exitCode"]?.int64Value == 6)
            #expect(object["sections"]?.arrayValue?.isEmpty == false && object["clocks"]?.arrayValue?.isEmpty == true)
            #expect(run.errors.contains(file))
        }
    }

    @Test func `a checkpoint that was cut off ends with 6`() async throws {
        try await CLIHome.with { home in
            let file = "\(home.folder)/stream"
            try await CLIRun.unpack("\(Self.root)/qemu-fixtures/streams/pc-10.0.stream.xz", to: file)
            var status = stat()
            #expect(stat(file, &status) == 0)
            #expect(truncate(file, status.st_size / 2) == 0)
            #expect(try await CLIRun.fermata(["inspect", file], in: home).status == 6)
        }
    }

    @Test(arguments: ["empty", "text", "zeros", "head", "magic"])
    func `what is no checkpoint ends with 6 and says so`(_ kind: String) async throws {
        try await CLIHome.with { home in
            let bytes: [UInt8] =
                switch kind {
                case "empty": []
                case "text": Array("# a text\n".utf8)
                case "zeros": [UInt8](repeating: 0, count: 100_000)
                // The header alone, and the header with nonsense behind it.
                case "head": Array("QEVM".utf8) + [0, 0, 0, 3]
                default: Array("QEVM".utf8) + [0, 0, 0, 3] + [UInt8](repeating: 0xFF, count: 5_000)
                }
            let file = "\(home.folder)/file"
            try Data(bytes).write(to: URL(filePath: file))
            let run = try await CLIRun.fermata(["inspect", file, "--json"], in: home)
            #expect(run.status == 6, "\(run.errors)")
            let object = try JSONValue(parsing: run.output)
            #expect(object["code"]?.stringValue == "checkpoint-corrupt")
            #expect(object["exitCode"]?.int64Value == 6)
            #expect(run.errors.contains(file))
            #expect(home.daemon == nil)
        }
    }

    @Test(arguments: ["/nonexistent/file", "/tmp", "/dev/null"])
    func `a file that cannot be read is an error of its own`(_ path: String) async throws {
        try await CLIHome.with { home in
            let run = try await CLIRun.fermata(["inspect", path], in: home)
            #expect(run.status == 1)
            #expect(run.errors.contains(path))
        }
    }
}
