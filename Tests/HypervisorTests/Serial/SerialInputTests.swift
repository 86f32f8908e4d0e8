import FoundationEssentials
import Glibc
import HypervisorAPI
import Testing
import Time

@testable import Hypervisor

/// What goes into serial ports. The sockets are real; the QEMU behind them is not.
struct SerialInputTests {
    /// A socket that listens, as QEMU's does; nobody is connected to it.
    private func withSocket(_ body: (String, Int32) async throws -> Void) async throws {
        var template = Array("/tmp/fermata-serial-XXXXXX".utf8CString)
        try #require(mkdtemp(&template) != nil)
        let folder = String(decoding: template.dropLast().map { UInt8(bitPattern: $0) }, as: UTF8.self)
        defer { try? FileManager.default.removeItem(atPath: folder) }
        let path = "\(folder)/serial0.sock"
        let listening = try #require(ListeningSocket.open(at: path))
        try await body(path, listening.number)
        withExtendedLifetime(listening) {}
    }

    /// As QEMU does it: reads all, and closes when the other side has no more.
    private func serve(_ listening: Int32, saying greeting: [UInt8] = []) async -> [UInt8] {
        await BlockingThread.run {
            let connection = OwnedDescriptor(accept(listening, nil, nil))
            _ = send(connection.number, greeting, greeting.count, Int32(MSG_NOSIGNAL))
            var all: [UInt8] = []
            var buffer = [UInt8](repeating: 0, count: 65_536)
            while true {
                let count = read(connection.number, &buffer, buffer.count)
                guard count > 0 else { return all }
                all += buffer.prefix(count)
            }
        }
    }

    @Test func whatIsTypedHasBeenReadAsAWholeWhenItReturns() async throws {
        // More than a socket holds, and a guest that talks meanwhile.
        let text = (0..<600_000).map { UInt8(truncatingIfNeeded: $0 / 7) }
        try await withSocket { path, listening in
            async let read = serve(listening, saying: Array(repeating: 46, count: 50_000))
            try await SerialInput.send(text, to: path, of: "bmc", patience: .seconds(3600))
            #expect(await read == text)
        }
    }

    @Test func aPortThatTakesNothingIsBusy() async throws {
        try await withSocket { path, _ in
            let error = await #expect(throws: HypervisorError.self) {
                try await SerialInput.send([1], to: path, of: "bmc", patience: .milliseconds(100))
            }
            #expect(error?.reasons.map(\.code) == ["serial-busy"])
        }
    }

    @Test func manyWaitForABusyPortAndAreRefusedEachByItself() async throws {
        try await withSocket { path, _ in
            // More than its queue has places for.
            let codes = await withTaskGroup(of: String.self) { group in
                for _ in 0..<50 {
                    group.addTask { () -> String in
                        do throws(HypervisorError) {
                            try await SerialInput.send([1], to: path, of: "bmc", patience: .milliseconds(200))
                            return "done"
                        } catch {
                            return error.reasons[0].code
                        }
                    }
                }
                return await group.reduce(into: Set<String>()) { $0.insert($1) }
            }
            #expect(codes == ["serial-busy"])
        }
    }

    @Test func aSocketThatIsNotThereIsUnusable() async throws {
        for path in ["/nowhere/serial0.sock", "/" + String(repeating: "x", count: 200)] {
            let error = await #expect(throws: HypervisorError.self) {
                try await SerialInput.send([1], to: path, of: "bmc")
            }
            #expect(error?.reasons.map(\.code) == ["serial-unusable"] && error?.reasons[0].machine == "bmc")
        }
    }

    @Test func whoIsCalledOffStopsWaiting() async throws {
        try await withSocket { path, _ in
            let typing = Task { try await SerialInput.send([1], to: path, of: "bmc", patience: .seconds(3600)) }
            try await Task.sleep(for: .milliseconds(50))
            typing.cancel()
            let error = await #expect(throws: HypervisorError.self) { try await typing.value }
            #expect(error == .cancelled)
        }
    }
}
