import GuestClock
import QMP
import Time

/// A machine with one real-time clock, and how its guest reads that.
struct ClockBoard: Sendable {
    /// What it loads into memory, or nil for a machine that needs nothing to be there.
    enum Guest: Sendable {
        /// Code at an address, where the processor begins.
        case at(UInt64, String)
        /// A BIOS of 64 KiB that begins with the code.
        case bios(String)
        /// As `-kernel`: flat code, where the machine puts it.
        case kernel(String)
        /// As `-bios`, flat.
        case firmware(String)
        case nothing
    }

    /// Unique among the boards, e.g. `virt (arm)`.
    var name: String
    /// Name of the clock's state description.
    var device: String
    var architecture: String
    var machine: @Sendable (QEMUUnderTest) -> String
    var arguments: [String] = []
    /// What one release needs besides.
    var extra: [QEMUUnderTest: [String]] = [:]
    /// Why one release cannot run it, or cannot save or load it at all.
    var broken: [QEMUUnderTest: String] = [:]
    var guest: Guest = .nothing
    var releases: [QEMUUnderTest] = QEMUUnderTest.all
    /// The smallest step that the guest sees, nanoseconds.
    var resolution: Int64 = 1_000_000_000
    /// Whether the clock's saved time counts from when it was saved and loaded, with `clock=host`.
    var runsFromTransfer = false
    /// Whether it follows `-rtc base=` and nothing else.
    var baseOnly = false
    /// Whether it stands still with the machine whatever `-rtc clock=` says.
    var alwaysVirtual = false
    /// Whether the guest can read it only while it runs.
    var readByGuestCode = false
    /// What a guest does to the clock at its start.
    var prepare: @Sendable (QtestSocket) throws -> Void = { _ in }
    /// Nanoseconds since the epoch.
    var read: @Sendable (QtestSocket) throws -> Int64
    /// Another clock of the machine, by which its guest measures time: nanoseconds since some instant.
    var counter: (@Sendable (QtestSocket) throws -> Int64)?
    /// Whether that is what the guest itself wrote last, a moment ago.
    var counterByGuestCode = false

    /// - Parameter folder: where a BIOS is put together.
    func launchArguments(_ release: QEMUUnderTest, folder: TemporaryFolder) throws -> [String] {
        var all = ["-M", machine(release)] + arguments + (extra[release] ?? [])
        switch guest {
        case .nothing: break
        case .at(let address, let name):
            all += ["-device", "loader,file=\(Self.path(name)),addr=\(address),cpu-num=0,force-raw=on"]
        case .kernel(let name): all += ["-kernel", Self.path(name)]
        case .firmware(let name): all += ["-bios", Self.path(name)]
        case .bios(let name):
            try folder.write(try Self.bios(name), to: "bios")
            all += ["-bios", folder.file("bios")]
        }
        return all
    }

    static func path(_ name: String) -> String { "\(QEMUUnderTest.repository)/qemu-fixtures/firmware/\(name).bin" }

    /// 64 KiB that begin with the code; the reset vector, 16 bytes before the end, jumps there.
    static func bios(_ name: String) throws -> [UInt8] {
        var image = [UInt8](repeating: 0, count: 0x10000)
        let code = try TemporaryFolder.contents(of: path(name))
        image.replaceSubrange(0..<code.count, with: code)
        image.replaceSubrange(0xfff0..<0xfff5, with: [0xea, 0x00, 0x00, 0x00, 0xf0])
        return image
    }
}
