/// Reads registers of a device on the I2C controller of a board, through the controller's own registers.
enum I2CBus {
    /// i.MX: bus 0 of the imx25-pdk.
    static func imx(_ qtest: QtestSocket, device: UInt8, register: UInt8, count: Int) throws -> [UInt8] {
        let base: UInt64 = 0x43f8_0000
        let (control, status, data) = (base + 8, base + 0xc, base + 0x10)
        let (enable, interrupt, master, transmit, noAcknowledge): (UInt8, UInt8, UInt8, UInt8, UInt8) =
            (0x80, 0x40, 0x20, 0x10, 0x08)
        func acknowledged() throws {
            guard try qtest.readb(status) & 0x02 != 0 else { throw TestSupportError("I2C: the device does not answer") }
            try qtest.writeb(status, 0)
        }
        try qtest.writeb(control, enable | interrupt | master | transmit | noAcknowledge)
        try qtest.writeb(data, device << 1)
        try acknowledged()
        try qtest.writeb(data, register)
        try acknowledged()
        try qtest.writeb(control, enable | interrupt | noAcknowledge)

        try qtest.writeb(control, enable | interrupt | master | transmit | noAcknowledge)
        try qtest.writeb(data, device << 1 | 1)
        try acknowledged()
        try qtest.writeb(control, enable | interrupt | master)
        // The first read starts the transfer.
        _ = try qtest.readb(data)
        try acknowledged()
        var bytes: [UInt8] = []
        for index in 0..<count {
            let last = index == count - 1
            try qtest.writeb(control, last ? enable | interrupt : enable | interrupt | master | noAcknowledge)
            bytes.append(try qtest.readb(data))
            if !last { try acknowledged() }
        }
        return bytes
    }

    /// PPC4xx: bus 0 of the Sam460ex.
    static func ppc4xx(_ qtest: QtestSocket, device: UInt8, register: UInt8) throws -> UInt8 {
        let base: UInt64 = 0x4_ef60_0700
        let (master, address, control) = (base, base + 4, base + 6)
        let (transfer, read): (UInt8, UInt8) = (0x01, 0x02)
        try qtest.writeb(address, device << 1)
        try qtest.writeb(master, register)
        try qtest.writeb(control, transfer)
        try qtest.writeb(address, device << 1)
        try qtest.writeb(control, transfer | read)
        return try qtest.readb(master)
    }
}
