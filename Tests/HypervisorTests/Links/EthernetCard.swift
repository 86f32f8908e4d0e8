@testable import Hypervisor

/// An e1000 on the first free slot of a `pc`, driven as a guest's driver would: enough to receive.
struct EthernetCard {
    private static let registers = 0xfebc_0000
    private static let ring = 0x10_0000
    private static let buffers = 0x20_0000
    private static let count = 128
    let qtest: Qtest
    /// Of the device on bus 0.
    var slot = 2

    private func configure(_ register: Int, _ value: Int) throws {
        try qtest.ask("outl 0xcf8 0x\(String(0x8000_0000 | slot << 11 | register, radix: 16))")
        try qtest.ask("outl 0xcfc 0x\(String(value, radix: 16))")
    }

    private func write(_ register: Int, _ value: Int) throws {
        try qtest.ask("writel 0x\(String(Self.registers + register, radix: 16)) 0x\(String(value, radix: 16))")
    }

    /// Takes every frame, into a ring of 128.
    func setUp() throws {
        try configure(0x10, Self.registers)
        // Memory and bus master.
        try configure(0x04, 0x06)
        for index in 0..<Self.count {
            let address = String(Self.buffers + index * 2048, radix: 16)
            try qtest.ask("writeq 0x\(String(Self.ring + index * 16, radix: 16)) 0x\(address)")
        }
        try write(0x2800, Self.ring)
        try write(0x2808, Self.count * 16)
        try write(0x2810, 0)
        try write(0x2818, Self.count - 1)
        // Receiver on, unicast and multicast promiscuous, broadcast.
        try write(0x100, 1 << 1 | 1 << 3 | 1 << 4 | 1 << 15)
    }

    /// The frames received so far, without the checksum that the card adds.
    func received() throws -> [[UInt8]] {
        var frames: [[UInt8]] = []
        for index in 0..<Self.count {
            let status = try bytes(Self.ring + index * 16, 16)
            // Descriptor done.
            guard status[12] & 1 != 0 else { break }
            let length = Int(status[8]) | Int(status[9]) << 8
            frames.append(try bytes(Self.buffers + index * 2048, max(length - 4, 1)))
        }
        return frames
    }

    private func bytes(_ address: Int, _ count: Int) throws -> [UInt8] {
        let text = try qtest.ask("read 0x\(String(address, radix: 16)) 0x\(String(count, radix: 16))").dropFirst(2)
        var bytes: [UInt8] = []
        var rest = text[...]
        while rest.count >= 2 {
            bytes.append(UInt8(rest.prefix(2), radix: 16) ?? 0)
            rest = rest.dropFirst(2)
        }
        return bytes
    }
}
