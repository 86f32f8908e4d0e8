import HypervisorAPI
import PKI
import Synchronization
import Testing
import Time

@testable import HypervisorRemote

/// Serial ports of machines on another host.
struct SerialWireTests {
    private let port = SerialPlace(simulation: "lab", machine: "bmc", number: 1)

    @Test func everyByteComesThroughInItsOrder() async throws {
        try await withRemote { remote, far in
            var offset: UInt64?
            var heard: [UInt8] = []
            while true {
                let chunk = try await remote.readSerial(port, from: offset)
                guard !chunk.bytes.isEmpty else {
                    #expect(!chunk.runs && chunk.end == EchoHypervisor.said)
                    break
                }
                heard += chunk.bytes
                offset = chunk.end
            }
            #expect(heard == (7..<EchoHypervisor.said).map { UInt8(truncatingIfNeeded: $0) })
            #expect(far.calls.first == "read-serial lab/bmc/1 nil")
            try await remote.writeSerial([0, 255, 13], to: port)
            try await remote.writeSerial([], to: port)
            #expect(far.calls.suffix(2) == ["write-serial lab/bmc/1 [0, 255, 13]", "write-serial lab/bmc/1 []"])
        }
    }

    @Test func whatTheHostSaysAgainstItComesThrough() async throws {
        try await withRemote { remote, far in
            let reasons = [Reason(code: "serial-busy", machine: "bmc", message: "somebody else is connected")]
            far.failure.withLock { $0 = HypervisorError(reasons) }
            let errors = [
                await #expect(throws: HypervisorError.self) { try await remote.writeSerial([1], to: port) },
                await #expect(throws: HypervisorError.self) { _ = try await remote.readSerial(port, from: 5) },
            ]
            #expect(errors.allSatisfy { $0?.reasons == reasons })
        }
    }

    /// Names become names of files there.
    @Test(arguments: NameCheckTests.hostile)
    func noOtherFileIsNamed(_ name: String) async throws {
        try await withRemote { remote, far in
            for port in [
                SerialPlace(simulation: name, machine: "bmc", number: 0),
                SerialPlace(simulation: "lab", machine: name, number: 0),
                SerialPlace(simulation: "lab", machine: "bmc", number: -1),
                SerialPlace(simulation: "lab", machine: "bmc", number: 256),
            ] {
                let errors = [
                    await #expect(throws: HypervisorError.self) { try await remote.writeSerial([1], to: port) },
                    await #expect(throws: HypervisorError.self) { _ = try await remote.readSerial(port, from: nil) },
                ]
                #expect(errors.allSatisfy { $0?.reasons.map(\.code) == ["message-invalid"] }, "\(port)")
            }
            #expect(far.calls.isEmpty)
        }
    }

    @Test func moreThanIsTypedAtOnceReachesNoHypervisor() async throws {
        try await withRemote { remote, far in
            let most = [UInt8](repeating: 65, count: SerialPlace.mostTyped)
            let error = await #expect(throws: HypervisorError.self) {
                try await remote.writeSerial(most + [66], to: port)
            }
            #expect(error?.reasons.map(\.code) == ["message-invalid"])
            #expect(far.calls.isEmpty)
        }
    }

    @Test(
        arguments: [
            (0, "QQ=="), (5, "*"), (.max, String(repeating: "QUFB", count: SerialChunk.mostBytes / 3 + 1)),
        ] as [(UInt64, String)]
    )
    func whatCannotHaveComeOutOfAPortIsNone(_ end: UInt64, _ base64: String) throws {
        var answer = SerialAnswer(SerialChunk(end: 1, bytes: [65], runs: true))
        #expect(answer.chunk == SerialChunk(end: 1, bytes: [65], runs: true))
        answer.end = end
        answer.base64 = base64
        #expect(answer.chunk == nil)
    }

    @Test func aHostThatIsNotThereIsUnreachable() async throws {
        let ours = try TestAuthority().trust(.control, "desk")
        let remote = RemoteHypervisor(host: "far", address: "127.0.0.1:1", trust: { ours }, home: "/home/control")
        let errors = [
            await #expect(throws: HypervisorError.self) { try await remote.writeSerial([1], to: port) },
            await #expect(throws: HypervisorError.self) { _ = try await remote.readSerial(port, from: 5) },
        ]
        await remote.close()
        #expect(errors.allSatisfy { $0?.reasons.map(\.code) == ["host-unreachable"] })
    }
}
