import Glibc
import MigrationStream
import Testing
import Time

@testable import GuestClock

/// Streams that real QEMUs wrote, see qemu-fixtures/record-streams.py: all but s390x with base 2024-02-29T12:00:00 and clock=vm.
@Suite("The clocks of recorded machines")
struct RecordedStreamTests {
    private static let base: Int64 = 1_709_208_000_000_000_000

    private func stream(_ name: String) throws -> MemorySource {
        let folder =
            #filePath.dropLast("/Tests/GuestClockTests/RecordedStreamTests.swift".count) + "/qemu-fixtures/streams"
        guard let pipe = popen("xz -dc '\(folder)/\(name).stream.xz'", "r") else {
            throw StreamMissing(name: name, problem: "xz does not start: apt-get install xz-utils")
        }
        var bytes: [UInt8] = []
        var chunk = [UInt8](repeating: 0, count: 1 << 16)
        while case let count = fread(&chunk, 1, chunk.count, pipe), count > 0 { bytes += chunk[..<count] }
        guard pclose(pipe) == 0 else { throw StreamMissing(name: name, problem: "xz failed") }
        return MemorySource(bytes)
    }

    private struct StreamMissing: Error {
        var name: String
        var problem: String
    }

    private func clocks(_ name: String, release: QEMURelease? = nil) throws -> GuestClocks {
        let source = try stream(name)
        let old = name.hasSuffix("7.2")
        return try GuestClocks(
            stream: CheckpointStream(reading: source),
            source: source,
            settings: .test(qemu: release ?? QEMURelease(major: old ? 7 : 10, minor: old ? 2 : 0)),
            stoppedAt: GuestClocks.stopped
        )
    }

    static let machines = [
        ("pc-7.2", "mc146818rtc"), ("pc-10.0", "mc146818rtc"), ("q35-7.2", "mc146818rtc"), ("q35-10.0", "mc146818rtc"),
        ("microvm-7.2", "mc146818rtc"), ("microvm-10.0", "mc146818rtc"), ("pc-mapped-10.0", "mc146818rtc"),
        ("virt-7.2", "pl031"), ("virt-10.0", "pl031"), ("riscv-7.2", "goldfish_rtc"), ("riscv-10.0", "goldfish_rtc"),
        ("pseries-7.2", "spapr/rtc"), ("pseries-10.0", "spapr/rtc"), ("ast2600-7.2", "aspeed.rtc"),
        ("ast2600-10.0", "aspeed.rtc"),
    ]

    @Test("Each reads the base it was started with and the little that it ran", arguments: machines)
    func reads(name: String, device: String) throws {
        let state = try clocks(name).state
        let reading = try #require(state.readings.first { $0.device == device })
        let reads = try #require(reading.readsNs)
        let virtual = try #require(state.virtualNs)
        #expect(reading.controllable)
        #expect(virtual > 0)
        // The guest itself set none of them, but for the aspeed clock, and what a guest sets QEMU reckons by the host's clock,
        // which had run longer than the machine.
        let late: Int64 = device == "aspeed.rtc" ? 60_000_000_000 : 0
        #expect(reads <= Self.base + virtual && reads >= Self.base + virtual - late - 999_999_999)
    }

    @Test("Every policy gives patches that fit the stream and read back as promised", arguments: machines)
    func plans(name: String, device: String) throws {
        let source = try stream(name)
        let stream = try CheckpointStream(reading: source)
        let clocks = try clocks(name)
        let policies: [ClockPolicy] = [.continue, .offset(.seconds(3_600)), .host, .at(GuestClocks.resumed)]
        for (policy, scope) in policies.flatMap({ [($0, ClockScope.rtc), ($0, .all)] }) {
            let attempt = Result { () throws(ClockError) in
                try clocks.plan(policy: policy, scope: scope, resumeAt: GuestClocks.resumed)
            }
            guard case .success(let plan) = attempt else {
                // The recorded time is later than that of the resume: the clocksource does not go back.
                if case .failure(.backward) = attempt, scope == .all { continue }
                Issue.record("\(policy): \(attempt)")
                continue
            }
            let patches = try PatchSet(plan.patches, for: stream)
            var bytes = try source.read(at: 0, count: Int(source.size))
            try patches.apply(to: &bytes)
            let patched = MemorySource(bytes)
            let after = try GuestClocks(
                stream: CheckpointStream(reading: patched),
                source: patched,
                settings: plan.settings,
                stoppedAt: GuestClocks.resumed
            )
            #expect(after.state.readings == plan.expected.readings)
        }
    }

    @Test("The alarms that were set are found")
    func alarms() throws {
        // 12:34:56 of the recorded day; one hour after noon.
        #expect(
            try clocks("pc-10.0").state.readings.flatMap(\.alarms) == [.init(firesAtNs: Self.base + 2_096_000_000_000)]
        )
        #expect(try clocks("riscv-10.0").state.readings.flatMap(\.alarms) == [.init(firesAtNs: 0x17b8_5b5d_8000_0000)])
        #expect(
            try clocks("virt-10.0").state.readings.flatMap(\.alarms) == [.init(firesAtNs: 0x65e0_9b10 * 1_000_000_000)]
        )
    }

    @Test("The time of day of s390x is told without its launch")
    func tod() throws {
        let source = try stream("s390x-10.0")
        let state = try GuestClocks(stream: CheckpointStream(reading: source), source: source).state
        let reads = try #require(state.readings.first { $0.kind == .tod }?.readsNs)
        #expect(reads > 1_577_836_800_000_000_000)
        #expect(state.rtcNs == reads)
    }

    @Test("So are clocks of other machines, as far as their state tells", arguments: machines)
    func withoutLaunch(name: String, device: String) throws {
        let source = try stream(name)
        let state = try GuestClocks(stream: CheckpointStream(reading: source), source: source).state
        let reading = try #require(state.readings.first { $0.device == device })
        #expect(!reading.controllable)
        if ["mc146818rtc", "pl031"].contains(device) {
            let reads = try #require(reading.readsNs)
            #expect(abs(reads - Self.base) < 60_000_000_000)
        } else {
            #expect(reading.reason != nil)
        }
    }

    @Test("A machine that counts instructions has its virtual clock in them")
    func icount() throws {
        let source = try stream("pc-icount-10.0")
        let stream = try CheckpointStream(reading: source)
        let known = try GuestClocks(
            stream: stream,
            source: source,
            settings: .test(icountShift: 4),
            stoppedAt: GuestClocks.stopped
        )
        #expect(try #require(known.state.virtualNs) > 0)
        let unknown = try GuestClocks(stream: stream, source: source, settings: .test(), stoppedAt: GuestClocks.stopped)
        #expect(unknown.state.virtualNs == nil)
    }

    @Test("A dump of a running machine is read by the layouts of its checkpoint", arguments: ["pc", "virt"])
    func dump(machine: String) throws {
        for release in ["7.2", "10.0"] {
            let layouts = try CheckpointStream(reading: stream("\(machine)-\(release)")).layouts
            let source = try stream("\(machine)-dump-\(release)")
            let clocks = try GuestClocks(
                stream: CheckpointStream(deviceDump: source, layouts: layouts),
                source: source,
                settings: .test(),
                stoppedAt: GuestClocks.stopped
            )
            let virtual = try #require(clocks.state.virtualNs)
            let rtc = try #require(clocks.state.rtcNs)
            #expect(rtc <= Self.base + virtual && rtc > Self.base + virtual - 1_000_000_000)
        }
    }

    @Test(
        "A RISC-V processor that waits for a tick is woken when its QEMU forgets that",
        arguments: ["riscv-7.2", "riscv-10.0"]
    )
    func repair(name: String) throws {
        let plan = try clocks(name).plan(policy: .continue, scope: .rtc, resumeAt: GuestClocks.resumed)
        // The recorded guest has no timer interrupt enabled: nothing is to be repaired.
        #expect(plan.patches.isEmpty)
        #expect(try clocks(name).processors.count == 1)
    }

    @Test("What is said of a machine that went on late: only what follows the host's clock ran on")
    func late() throws {
        let source = try stream("pc-10.0")
        let stream = try CheckpointStream(reading: source)
        for (clock, ranOn) in [(RTCClockSource.vm, Int64(0)), (.host, 5_000_000)] {
            let clocks = try GuestClocks(
                stream: stream,
                source: source,
                settings: .test(clock: clock),
                stoppedAt: GuestClocks.stopped
            )
            let plan = try clocks.plan(policy: .offset(.seconds(1)), scope: .rtc, resumeAt: GuestClocks.resumed)
            let state = plan.state(resumedAt: GuestClocks.resumed + .milliseconds(5))
            #expect(state.rtcNs == plan.expected.rtcNs.map { $0 + ranOn })
            #expect(state.virtualNs == plan.expected.virtualNs)
            #expect(state.atNs == GuestClocks.resumed + .milliseconds(5))
        }
    }

    @Test("Boards whose clock a save disturbs are named, others are not")
    func disturbance() {
        #expect(GuestClocks.disturbance(bySaving: "xlnx-zcu102")?.contains("xlnx-zynmp.rtc") == true)
        #expect(GuestClocks.disturbance(bySaving: "pc-i440fx-7.2") == nil)
    }

    @Test("The fixed layouts for dumps are those that recorded streams describe", arguments: machines)
    func dumpLayouts(name: String, device: String) throws {
        let described = try CheckpointStream(reading: stream(name)).layouts
        for layout in described where ["timer", device].contains(layout.vmsdName) {
            let fixed = try #require(
                GuestClocks.dumpLayouts.first {
                    $0.vmsdName == layout.vmsdName && $0.version == layout.version
                        && $0.payloadSize == layout.payloadSize
                }
            )
            for field in fixed.fields {
                let real = try #require(layout.field(field.path), "\(field.path)")
                #expect(real.offset == field.offset && real.size == field.size)
            }
        }
    }
}
