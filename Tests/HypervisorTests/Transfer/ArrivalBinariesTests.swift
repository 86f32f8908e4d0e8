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

    @Test func `an agent starts only what its owner lets run`() throws {
        let limits = { (rules: String...) in ArrivalLimits(binaries: rules, looksAround: false) }
        #expect(try ArrivalBinaries(named: [], limits: limits("/usr/bin/")).binary(for: real) == real)
        let elsewhere = ArrivalBinaries(named: [], limits: limits("/usr/bin/"))
        #expect(try elsewhere.binary(for: "/opt/elsewhere/qemu-system-x86_64") == real)
        // Neither where it was, nor in PATH, nor because somebody named it.
        for named in [[], [real], ["/bin/sh"]] {
            let none = ArrivalBinaries(named: named, limits: limits("/opt/qemu/"))
            let error = #expect(throws: HypervisorError.self) { try none.binary(for: real) }
            #expect(error?.reasons.map(\.code) == ["qemu-missing"])
            #expect(error?.description.contains("/opt/qemu/") == true)
        }
    }

    @Test func `a program that is no QEMU by its name is not started for what an archive says`() {
        for program in ["/bin/sh", "/usr/bin/env", "reboot", ""] { #expect(refused(program).contains("--qemu")) }
    }
}
