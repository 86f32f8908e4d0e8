import HypervisorAPI
import Synchronization
import Testing
import Time

@testable import ControlInstance

/// A checkpoint's folders are removed on all of its hosts at once.
@Suite struct DiscardTests {
    @Test func `no host waits for another, and each says for itself what it could not do`() async throws {
        let bench = try Bench()
        let control = try bench.control()
        try await bench.up(control)
        _ = try await bench.suspend(control)
        _ = try await control.down("sim")
        let right = bench.right
        // The first does not end before the second has begun: one after the other, it would never be answered.
        bench.left.world.withLock { world in
            world.removing = { () throws(HypervisorError) in
                while !right.calls.contains(where: { $0.hasPrefix("remove") }) {
                    try? await Task.sleep(for: .milliseconds(5))
                }
            }
        }
        right.world.withLock { world in
            world.removing = { () throws(HypervisorError) in
                throw HypervisorError(code: "file-failed", message: "its disk is gone")
            }
        }
        let error = await #expect(throws: ControlError.self) { try await control.remove("sim", "s1") }
        #expect(error?.reasons.map(\.code) == ["file-failed", "file-failed"], "both folders, of the second host alone")
        #expect(error?.reasons.allSatisfy { $0.message.contains("on right") } == true, "\(error as Any)")
        #expect(bench.folders.isEmpty)
    }
}
