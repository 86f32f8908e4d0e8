import HypervisorAPI
import PKI
import RecordedLog
import Synchronization
import Testing
import Time

@testable import HypervisorRemote

/// Bytes go from agent to agent, by what a control instance grants: real handshakes between all three.
struct PeerTests {
    private struct Lab: Sendable {
        let authority: TestAuthority
        let far: EchoHypervisor
        let near: EchoHypervisor
        let farLog: RecordedLog
        let toFar: RemoteHypervisor
        let toNear: RemoteHypervisor
        let farPort: Int
        let nearPort: Int

        /// A connection to a host, the far one if no other is named, with somebody's certificate.
        func connecting<Value: Sendable>(
            as trust: LiveTrust,
            to port: Int? = nil,
            _ host: String = "far",
            _ body: (HypervisorConnection) async throws -> Value
        ) async throws -> Value {
            let client = AgentClient(host: host) { () throws(HypervisorError) in trust }
            let base = "https://127.0.0.1:\(port ?? farPort)"
            let connection = HypervisorConnection(host: host, base: base, agent: client)
            do {
                let value = try await body(connection)
                await client.close()
                return value
            } catch {
                await client.close()
                throw error
            }
        }
    }

    private static let source = FilePlace(folder: "/home/control/checkpoints/lab/first", path: "machines/bmc/ram")
    private static let arriving = "/home/control/checkpoints/lab/first.partial.arriving"
    private static let path = "checkpoints/lab/first/machines/bmc/ram"
    /// As the double has it.
    private static let size = UInt64(4 * FilePiece.mostBytes)

    private func with(_ body: @Sendable (Lab) async throws -> Void) async throws {
        let authority = try TestAuthority()
        let log = RecordedLog()
        let far = LiveTrust(try authority.issue(.hypervisor, "far"), logger: log.logger)
        let near = try authority.trust(.hypervisor, "near")
        let ours = try authority.trust(.control, "desk")
        let remote = { @Sendable (name: String, port: Int) in
            RemoteHypervisor(host: name, address: "127.0.0.1:\(port)", trust: { ours }, home: "/home/control")
        }
        let (first, second) = (EchoHypervisor(), EchoHypervisor())
        try await withAgent(first, trust: far, logger: log.logger) { farPort in
            try await withAgent(second, home: "/var/lib/near", trust: near) { nearPort in
                let lab = Lab(
                    authority: authority,
                    far: first,
                    near: second,
                    farLog: log,
                    toFar: remote("far", farPort),
                    toNear: remote("near", nearPort),
                    farPort: farPort,
                    nearPort: nearPort
                )
                let result: Result<Void, any Error>
                do { result = .success(try await body(lab)) } catch { result = .failure(error) }
                await lab.toFar.close()
                await lab.toNear.close()
                try result.get()
            }
        }
    }

    private func order(_ grant: ReadGrant, from offset: UInt64 = 0, bytes: UInt64 = size) -> FetchOrder {
        FetchOrder(
            grant: grant,
            source: Self.source,
            target: FilePlace(folder: Self.arriving, path: Self.source.path),
            offset: offset,
            bytes: bytes
        )
    }

    private func grant(_ lab: Lab, to reader: String = "near") async throws -> ReadGrant {
        try await lab.toFar.grant(GrantOrder(reader: reader, files: [Self.source]))
    }

    private static func codes(_ error: HypervisorError?) -> [String]? { error?.reasons.map(\.code) }

    @Test func aFileComesFromOneToTheOtherWithoutItsHoles() async throws {
        try await with { lab in
            let grant = try await grant(lab)
            #expect(grant.host == "far" && grant.ticket.count == 64)
            let piece = UInt64(FilePiece.mostBytes)
            var (position, sent) = (UInt64(0), UInt64(0))
            // On a busy machine one answer does not go as far.
            repeat {
                let progress = try await lab.toNear.fetch(order(grant, from: position))
                try #require(progress.position > position)
                (position, sent) = (progress.position, sent + progress.sent)
            } while position < Self.size
            #expect(position == Self.size && sent == 2 * piece)
            let (there, here) = ("/var/lib/agent/\(Self.path)", "/var/lib/near/checkpoints/lab/first.partial.arriving")
            #expect(lab.far.calls == [0, piece + 5, 2 * piece + 10].map { "read \(there) \($0)" })
            #expect(
                lab.near.calls == [5, piece + 10].map { "write \(here)/machines/bmc/ram \($0) \(piece) \(Self.size)" }
            )
        }
    }

    @Test func itGoesOnWhereItStopped() async throws {
        try await with { lab in
            let grant = try await grant(lab)
            let progress = try await lab.toNear.fetch(order(grant, from: 2 * UInt64(FilePiece.mostBytes)))
            #expect(progress == FetchProgress(position: Self.size, sent: 0))
            #expect(lab.far.calls.count == 1 && lab.near.calls.isEmpty)
        }
    }

    @Test func aFileOfAnotherSizeIsRefused() async throws {
        try await with { lab in
            let grant = try await grant(lab)
            let error = await #expect(throws: HypervisorError.self) {
                try await lab.toNear.fetch(order(grant, bytes: 7))
            }
            #expect(Self.codes(error) == ["checkpoint-corrupt"] && lab.near.calls.isEmpty)
        }
    }

    @Test func whatTheOtherHostSaysComesThrough() async throws {
        try await with { lab in
            let grant = try await grant(lab)
            lab.far.failure.withLock { $0 = HypervisorError(code: "checkpoint-corrupt", message: "it is missing") }
            let missing = await #expect(throws: HypervisorError.self) { try await lab.toNear.fetch(order(grant)) }
            #expect(Self.codes(missing) == ["checkpoint-corrupt"])
            lab.far.failure.withLock { $0 = nil }
            lab.near.failure.withLock { $0 = HypervisorError(code: "no-space", message: "full") }
            let full = await #expect(throws: HypervisorError.self) { try await lab.toNear.fetch(order(grant)) }
            #expect(Self.codes(full) == ["no-space"])
        }
    }

    @Test func aHostThatCannotBeReachedOrIsAnotherIsToldOf() async throws {
        try await with { lab in
            var nowhere = try await grant(lab)
            nowhere.address = "127.0.0.1:1"
            var another = try await grant(lab)
            another.host = "third"
            for grant in [nowhere, another] {
                let error = await #expect(throws: HypervisorError.self) { try await lab.toNear.fetch(order(grant)) }
                #expect(Self.codes(error) == ["peer-unreachable"], "\(String(describing: error))")
            }
            #expect(lab.far.calls.isEmpty)
        }
    }

    /// A ticket that nobody gave out, or gave another, or for something else.
    @Test func nobodyReadsWhatHeWasNotGranted() async throws {
        try await with { lab in
            let grant = try await grant(lab)
            let third = try lab.authority.trust(.hypervisor, "third")
            let near = try lab.authority.trust(.hypervisor, "near")
            _ = try await self.grant(lab, to: "third")
            var forged = grant
            forged.ticket = String(repeating: "0", count: 64)
            var crippled = grant
            crippled.ticket = "x"
            let other = Self.path.replacing("ram", with: "state.qemu")
            for (who, path, grant, word) in [
                (near, Self.path, forged, "given out"), (near, Self.path, crippled, "shows no ticket"),
                (third, Self.path, grant, "another host's"), (near, other, grant, "other files"),
            ] {
                let error = await #expect(throws: HypervisorError.self) {
                    try await lab.connecting(as: who) { connection in
                        try await connection.piece(path, from: 0, grant: grant)
                    }
                }
                #expect(Self.codes(error) == ["grant-refused"], "\(word): \(String(describing: error))")
                let line = lab.farLog.lines.last { $0.contains("refused a peer") } ?? ""
                #expect(line.contains("no-grant") && line.contains(word), "\(line)")
                #expect(error?.description.contains(word) == false, "why is for the log")
            }
            #expect(lab.far.calls.isEmpty)
        }
    }

    @Test func whoHasNoGrantOrNoneAnyMoreIsNotLetIn() async throws {
        try await with { lab in
            let near = try lab.authority.trust(.hypervisor, "near")
            let read = { (grant: ReadGrant) async -> HypervisorError? in
                await #expect(throws: HypervisorError.self) {
                    try await lab.connecting(as: near) { connection in
                        try await connection.piece(Self.path, from: 0, grant: grant)
                    }
                }
            }
            let others = try await grant(lab, to: "third")
            #expect(Self.codes(await read(others)) == ["host-unreachable"])
            #expect(lab.farLog.lines.contains { $0.contains("refused a peer") && $0.contains("wrong-role") })
            let ended = try await grant(lab)
            try await lab.toFar.endGrant(ended)
            try await lab.toFar.endGrant(ended)
            #expect(Self.codes(await read(ended)) == ["host-unreachable"])
            let error = await #expect(throws: HypervisorError.self) { try await lab.toNear.fetch(order(ended)) }
            #expect(Self.codes(error) == ["peer-unreachable"])
            #expect(lab.far.calls.isEmpty)
        }
    }

    /// A grant is for reading, and a hypervisor's certificate for nothing else; nor is a control's for what is a hypervisor's.
    @Test func whoMayReadCommandsNothing() async throws {
        try await with { lab in
            let grant = try await grant(lab)
            let near = try lab.authority.trust(.hypervisor, "near")
            let attempts: [@Sendable (HypervisorConnection) async throws -> Void] = [
                { _ = try await $0.call(.machines, MachinesQuestion(), patience: nil) },
                { _ = try await $0.call(.end, "lab", patience: nil) },
                { _ = try await $0.call(.grant, GrantOrder(reader: "near", files: []), patience: nil) },
                { _ = try await $0.piece(Self.path, from: 0) },
                {
                    try await $0.put(
                        FilePiece(offset: 0, bytes: [1], size: 1),
                        to: "checkpoints/lab/first.partial.arriving/a"
                    )
                },
            ]
            for attempt in attempts {
                let error = await #expect(throws: HypervisorError.self) {
                    try await lab.connecting(as: near) { try await attempt($0) }
                }
                #expect(Self.codes(error) == ["peer-refused"], "\(String(describing: error))")
            }
            let ours = try lab.authority.trust(.control, "desk")
            let error = await #expect(throws: HypervisorError.self) {
                try await lab.connecting(as: ours) { connection in
                    try await connection.piece(Self.path, from: 0, grant: grant)
                }
            }
            #expect(Self.codes(error) == ["peer-refused"])
            #expect(lab.far.calls.isEmpty)
        }
    }

    @Test func aFolderThatIsRemovedIsNotWrittenAnyMore() async throws {
        try await with { lab in
            let grant = try await grant(lab)
            lab.far.delay.withLock { $0 = .seconds(8) }
            let fetching = Task { [order = order(grant)] in try await lab.toNear.fetch(order) }
            while lab.far.calls.isEmpty { try await Task.sleep(for: .milliseconds(1)) }
            try await lab.toNear.removeCheckpoint(folder: Self.arriving)
            let error = await #expect(throws: HypervisorError.self) { try await fetching.value }
            #expect(Self.codes(error) == ["cancelled"])
            #expect(lab.near.calls == ["remove /var/lib/near/checkpoints/lab/first.partial.arriving"])
        }
    }

    @Test func namesThatLeadElsewhereAreRefused() async throws {
        try await with { lab in
            var grant = try await grant(lab)
            for address in ["far:7443/v1/end?", "far", "user@far:7443", "far:0"] {
                grant.address = address
                let error = await #expect(throws: HypervisorError.self) { try await lab.toNear.fetch(order(grant)) }
                #expect(Self.codes(error) == ["message-invalid"], "\(address)")
            }
            grant.address = "127.0.0.1:1"
            let ours = try lab.authority.trust(.control, "desk")
            for folder in ["checkpoints/lab/first", "trust", "checkpoints/lab/../first.partial.arriving"] {
                var wrong = order(grant)
                wrong.source.folder = "checkpoints/lab/first"
                wrong.target.folder = folder
                let fetch = wrong
                let error = await #expect(throws: HypervisorError.self) {
                    try await lab.connecting(as: ours) { connection in
                        try await connection.call(.fetch, fetch, patience: nil)
                    }
                }
                #expect(Self.codes(error) == ["folder-outside"], "\(folder)")
            }
            let files = GrantOrder(reader: "near", files: [FilePlace(folder: "trust", path: "far.pem")])
            let error = await #expect(throws: HypervisorError.self) {
                try await lab.connecting(as: ours) { connection in
                    try await connection.call(.grant, files, patience: nil)
                }
            }
            #expect(Self.codes(error) == ["folder-outside"])
            #expect(lab.far.calls.isEmpty && lab.near.calls.isEmpty)
        }
    }

    @Test func aFileIsLookedForInSharedFolders() async throws {
        try await with { lab in
            let target = FilePlace(folder: Self.arriving, path: Self.source.path)
            for role in [CheckpointFile.Role.ram, .state] {
                let file = CheckpointFile(role: role, path: Self.source.path, bytes: 7, sha256: "x")
                let order = SharedFileOrder(file: file, source: Self.source, target: target)
                #expect(try await lab.toNear.copyShared(order) == (role == .ram))
            }
            let here = "/var/lib/near/checkpoints/lab/first"
            let call = "shared \(here)/machines/bmc/ram \(here).partial.arriving/machines/bmc/ram"
            #expect(lab.near.calls == [call, call])
            // Of other folders nobody is asked: no host shares them.
            for folder in ["/home/control/exports/1", "/srv/disks", "/home/control"] {
                let file = CheckpointFile(role: .disk, path: "seed.raw", bytes: 7, sha256: "x")
                let source = FilePlace(folder: folder, path: "seed.raw")
                #expect(
                    try await lab.toNear.copyShared(SharedFileOrder(file: file, source: source, target: target))
                        == false
                )
            }
            let file = CheckpointFile(role: .ram, path: "a", bytes: 7, sha256: "x")
            for path in ["../../../../etc/passwd", "/etc/passwd", ""] {
                let source = FilePlace(folder: "checkpoints/lab/first", path: path)
                let place = FilePlace(folder: "checkpoints/lab/first.partial.arriving", path: "machines/bmc/ram")
                let ours = try lab.authority.trust(.control, "desk")
                for order in [
                    SharedFileOrder(file: file, source: source, target: place),
                    SharedFileOrder(file: file, source: source, target: FilePlace(folder: place.folder, path: path)),
                ] {
                    let error = await #expect(throws: HypervisorError.self) {
                        try await lab.connecting(as: ours, to: lab.nearPort, "near") { connection in
                            try await connection.call(.copyShared, order, patience: nil)
                        }
                    }
                    #expect(Self.codes(error) == ["folder-outside"], "\(path)")
                }
            }
            #expect(lab.near.calls.count == 2)
        }
    }
}
