import HypervisorAPI
import Testing

@testable import Hypervisor

/// Which QEMU of this host is taken for one that another host had.
struct ArrivalBinariesTests {
    private let real = "/usr/bin/qemu-system-x86_64"

    private func refused(_ saved: String, _ named: [String] = []) -> String {
        let error = #expect(throws: HypervisorError.self) { try ArrivalBinaries(named: named).binary(for: saved) }
        #expect(error?.reasons.map(\.code) == ["qemu-missing"])
        return error?.description ?? ""
    }

    @Test func `the same path, else the same name in PATH`() throws {
        let none = ArrivalBinaries(named: [])
        #expect(try none.binary(for: real) == real)
        let found = try none.binary(for: "/opt/elsewhere/qemu-system-x86_64")
        #expect(found.hasPrefix("/") && found.hasSuffix("/qemu-system-x86_64"))
        #expect(refused("/opt/elsewhere/qemu-system-vax").contains("--qemu"))
    }

    @Test func `one that is named wins, by its name or as the only one`() throws {
        #expect(try ArrivalBinaries(named: [real]).binary(for: "/opt/strange/emulator") == real)
        let two = ArrivalBinaries(named: ["/bin/sh", real])
        #expect(try two.binary(for: "/opt/elsewhere/qemu-system-x86_64") == real)
        #expect(refused("/opt/elsewhere/qemu-system-x86_64", ["/nowhere/qemu-system-x86_64"]).contains("/nowhere"))
    }

    @Test func `a program that is no QEMU by its name is not started for what an archive says`() {
        for program in ["/bin/sh", "/usr/bin/env", "reboot", ""] { #expect(refused(program).contains("--qemu")) }
    }
}
