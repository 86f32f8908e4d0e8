@testable import Hypervisor

/// A 16550 at COM1, driven by port accesses as a guest's driver would.
struct SerialPort {
    private static let base = 0x3f8
    let qtest: Qtest

    /// FIFOs on, both emptied.
    func setUp() throws {
        try qtest.outb(Self.base + 3, 0x03)
        try qtest.outb(Self.base + 2, 0xc7)
    }

    var status: UInt8 { get throws { try qtest.inb(Self.base + 5) } }

    /// - Returns: false: the transmitter has no room (the other end does not read).
    func send(_ byte: UInt8) throws -> Bool {
        guard try status & 0x20 != 0 else { return false }
        try qtest.outb(Self.base, byte)
        return true
    }

    func receive() throws -> UInt8? {
        guard try status & 0x01 != 0 else { return nil }
        return try qtest.inb(Self.base)
    }
}
