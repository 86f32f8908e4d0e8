import QMP
import Testing

@Suite struct QMPAddressTests {
    @Test(arguments: [
        ("unix:/run/a.sock", QMPAddress.unix("/run/a.sock")), ("/run/a.sock", .unix("/run/a.sock")),
        ("./a", .unix("./a")), ("unix:a", .unix("a")), ("tcp:localhost:4444", .tcp(host: "localhost", port: 4444)),
        ("tcp:[::1]:1", .tcp(host: "::1", port: 1)), ("tcp:::1:65535", .tcp(host: "::1", port: 65535)),
    ])
    func `addresses are read, and written so that they read back`(text: String, address: QMPAddress) throws {
        #expect(try QMPAddress(parsing: text) == address)
        #expect(try QMPAddress(parsing: address.description) == address)
    }

    @Test(arguments: [
        "", "a", "unix:", "tcp:", "tcp:host", "tcp:host:", "tcp::1", "tcp:host:0", "tcp:h:65536", "/a\u{0}b",
    ])
    func `other texts are refused with what to write`(text: String) {
        let error = #expect(throws: QMPError.self) { try QMPAddress(parsing: text) }
        #expect(error?.description.contains("is no monitor address") == true)
    }
}
