import FoundationEssentials
import Glibc
import Testing

@testable import FermataTesting

/// Machines on another host: an agent of this one's, with a state folder of its own.
@Suite struct FarTests {
    private static func freePort() throws -> Int {
        let descriptor = socket(AF_INET, Int32(SOCK_STREAM.rawValue) | Int32(SOCK_CLOEXEC.rawValue), 0)
        defer { close(descriptor) }
        var address = sockaddr_in()
        address.sin_family = sa_family_t(AF_INET)
        address.sin_addr.s_addr = UInt32(0x7f00_0001).bigEndian
        var length = socklen_t(MemoryLayout<sockaddr_in>.size)
        return try withUnsafeMutablePointer(to: &address) { address in
            try address.withMemoryRebound(to: sockaddr.self, capacity: 1) { pointer in
                try #require(bind(descriptor, pointer, length) == 0 && getsockname(descriptor, pointer, &length) == 0)
            }
            return Int(UInt16(bigEndian: address.pointee.sin_port))
        }
    }

    /// With the name of another host, which the control instance of the home knows.
    private static func with(_ body: @Sendable (TestHome, String) async throws -> Void) async throws {
        try await TestHome.with { home in
            let far = "\(home.folder)/far"
            for words in [["pki", "init"], ["pki", "issue", "control", "desk"]] {
                try await Control(program: TestHome.program, environment: home.environment).run(words)
            }
            try FileManager.default.createDirectory(
                atPath: far,
                withIntermediateDirectories: true,
                attributes: [.posixPermissions: 0o700]
            )
            try await home.fermata("pki", "issue", "hypervisor", "lab2", "--out", "\(far)/trust")
            let address = "127.0.0.1:\(try freePort())"
            var environment = home.environment
            environment["FERMATA_HOME"] = far
            let agent = Program(name: TestHome.program, environment: environment)
            let serving = Task { try await agent.run(["agent", "--listen", address, "--files", TestHome.cache]) }
            do {
                var added = false
                for _ in 0..<100 where !added {
                    added = (try? await home.fermata("host", "add", "lab2", address)) != nil
                    if !added { try await Task.sleep(for: .milliseconds(200)) }
                }
                try #require(added)
                try await body(home, "lab2")
            } catch {
                serving.cancel()
                _ = await serving.result
                throw error
            }
            serving.cancel()
            #expect(try await serving.value.status == 0)
        }
    }

    @Test func `what a machine elsewhere says is heard over a suspend, and it is typed to`() async throws {
        try await Self.with { home, far in
            let manifest = try home.ticker()
            let text = try String(contentsOfFile: manifest, encoding: .utf8)
            try Data(text.replacing("{arch", with: "{host: \(far), arch").utf8).write(to: URL(filePath: manifest))
            try await withSimulation(.manifest(manifest), fermata: home.library()) { simulation in
                let arm = simulation.machine("arm")
                #expect(try await arm.status.host == far)
                let first = try #require(Int(try await arm.serial.expect(/"tick":(\d+),/).1))
                #expect(Int(try await arm.serial.expect(/"tick":(\d+),/).1) == first + 1)
                // This guest never reads, so more would not be taken.
                try await arm.serial.send("")
                try await simulation.suspend("s1")
                try await simulation.resume("s1")
                // Not a byte is lost: each tick comes once.
                for tick in first + 2...first + 4 {
                    #expect(Int(try await arm.serial.expect(/"tick":(\d+),/).1) == tick)
                }
                let late = await #expect(throws: SerialTimeout.self) {
                    try await arm.serial.expect("never", timeout: .milliseconds(200))
                }
                #expect(late?.whereabouts == "on another host")
                // The daemon ends, and the next one is listened to from there on.
                try await home.fermata("serve", "--stop")
                try await home.fermata("ps")
                let again = try #require(Int(try await arm.serial.expect(/"tick":(\d+),/).1))
                #expect(Int(try await arm.serial.expect(/"tick":(\d+),/).1) == again + 1)
            }
            try await home.expectClean()
        }
    }
}
