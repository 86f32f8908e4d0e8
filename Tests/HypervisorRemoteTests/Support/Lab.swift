import FoundationEssentials
import Glibc
import HostClock
import HypervisorAPI
import Logging
import PKI
import Synchronization
import Time

@testable import HypervisorRemote

/// An authority with hosts of its own, in a folder that goes with it.
final class TestAuthority: Sendable {
    let folder: String
    let authority: Authority

    init() throws {
        var template = Array("/tmp/fermata-remote-XXXXXX".utf8CString)
        guard mkdtemp(&template) != nil else { throw HypervisorError(code: "test", message: "no temporary folder") }
        folder = String(decoding: template.dropLast().map { UInt8(bitPattern: $0) }, as: UTF8.self)
        authority = try Authority.create(at: "\(folder)/pki", name: "lab", now: .now)
    }

    deinit { try? FileManager.default.removeItem(atPath: folder) }

    /// A host's folder with new credentials, and what is revoked now.
    @discardableResult
    func issue(
        _ role: Role,
        _ name: String,
        in place: String? = nil,
        validity: Span = .seconds(3600),
        now: HostInstant = .now
    ) throws -> TrustStore {
        let path = "\(folder)/\(place ?? "\(role.rawValue)-\(name)")"
        if access(path, F_OK) != 0 {
            try FileManager.default.createDirectory(atPath: path, withIntermediateDirectories: false)
        }
        chmod(path, 0o700)
        let file = "\(path)/\(name).pem"
        unlink(file)
        try authority.issue(role: role, name: name, validity: validity, now: now).write(to: file)
        try publish(to: path)
        return try TrustStore.load(from: path)
    }

    /// The list of what is revoked, as it is now.
    func publish(to path: String) throws {
        let bytes = try authority.revocations(now: .now).bytes
        try Data(bytes).write(to: URL(filePath: "\(path)/revoked.new"))
        chmod("\(path)/revoked.new", 0o644)
        rename("\(path)/revoked.new", "\(path)/revoked")
    }

    func trust(_ role: Role, _ name: String) throws -> LiveTrust { LiveTrust(try issue(role, name), logger: quiet) }
}

let quiet: Logger = {
    var logger = Logger(label: "fermata.test")
    logger.logLevel = .critical
    return logger
}()

/// An agent over `hypervisor`, for as long as `body` runs.
func withAgent<Value: Sendable>(
    _ hypervisor: any Hypervisor,
    home: String = "/var/lib/agent",
    policy: AgentPolicy = AgentPolicy(),
    trust: LiveTrust,
    logger: Logger = quiet,
    _ body: @Sendable (Int) async throws -> Value
) async throws -> Value {
    let server = HypervisorServer(hypervisor: hypervisor, home: home, policy: policy, trust: trust, logger: logger)
    let (ports, ready) = AsyncStream.makeStream(of: Int.self)
    return try await withThrowingTaskGroup(of: Void.self) { group in
        group.addTask {
            do {
                try await server.serve(address: "127.0.0.1", port: 0) { ready.yield($0) }
            } catch {
                ready.finish()
                throw error
            }
        }
        guard let port = await ports.first(where: { _ in true }) else {
            try await group.next()
            throw HypervisorError(code: "test", message: "the agent did not start")
        }
        defer { group.cancelAll() }
        return try await body(port)
    }
}

/// A control instance's side of a host whose hypervisor answers with what it was asked.
func withRemote(
    policy: AgentPolicy = AgentPolicy(),
    _ body: @Sendable (RemoteHypervisor, EchoHypervisor) async throws -> Void
) async throws {
    let authority = try TestAuthority()
    let far = EchoHypervisor()
    let ours = try authority.trust(.control, "desk")
    try await withAgent(far, policy: policy, trust: try authority.trust(.hypervisor, "far")) { port in
        // Two hosts of a test are one, and nobody disciplines its clock.
        let remote = RemoteHypervisor(
            host: "far",
            address: "127.0.0.1:\(port)",
            trust: { ours },
            home: "/home/control",
            clockErrorLimit: .seconds(5)
        )
        do {
            try await body(remote, far)
        } catch {
            await remote.close()
            throw error
        }
        await remote.close()
    }
}
