import FoundationEssentials
import Glibc
import JSON

/// Two small machines on two hosts: `alpha` on the control instance's own, `beta` on another one with an agent, all on this machine.
struct HostsLab: Sendable {
    static let host = "lab2"
    static let third = "lab3"

    let desk: FaultLab
    let far: FaultLab
    private let port: UInt16

    /// Runs `body` with both hosts; whatever is left of daemons and QEMUs ends with it.
    /// - Parameter settings: of the control instance's environment.
    static func with(
        _ qemu: FaultLab.QEMU,
        settings: [String: String] = [:],
        _ body: @Sendable (HostsLab) async throws -> Void
    ) async throws {
        try await CLIHome.with { home in
            try await FaultLab.with(FaultLab.Bed(qemu: qemu, ram: "file"), in: home, settings: settings) { desk in
                try await FaultLab.with(FaultLab.Bed(qemu: qemu, ram: "file")) { far in
                    let lab = HostsLab(desk: desk, far: far, port: try freePort())
                    try await lab.prepare()
                    try await body(lab)
                }
            }
        }
    }

    /// The same with one more host, which is the other one of a second lab of the same control instance.
    static func withThird(_ body: @Sendable (HostsLab, HostsLab) async throws -> Void) async throws {
        try await with(.installed) { lab in
            try await FaultLab.with(FaultLab.Bed(qemu: .installed, ram: "file")) { far in
                let third = HostsLab(desk: lab.desk, far: far, port: try freePort())
                try await third.join(as: Self.third)
                try await body(lab, third)
            }
        }
    }

    private func prepare() async throws {
        try await desk.done("pki", "init")
        try await desk.done("pki", "issue", "control", "desk")
        try await join(as: Self.host, "--label", "rack=a")
    }

    private func join(as name: String, _ options: String...) async throws {
        mkdir(far.home.path, 0o700)
        try await desk.done("pki", "issue", "hypervisor", name, "--out", "\(far.home.path)/trust")
        try await startAgent()
        // Nobody disciplines the clock of a machine that tests run on; a busy one measures itself badly.
        try await desk.done(["host", "add", name, "127.0.0.1:\(port)"] + options)
    }

    var address: String { "127.0.0.1:\(port)" }

    // MARK: - The agent

    /// Starts it as a process of its own, and waits until it listens.
    func startAgent(_ options: String...) async throws {
        let (home, port, folder) = (far.home, port, desk.bed.qemu.path.split(separator: "/").dropLast())
        let arguments =
            [
                "agent", "--listen", "127.0.0.1:\(port)", "--qemu", "/\(folder.joined(separator: "/"))/",
                "--allow-args",
                "--files", far.home.folder,
            ] + options
        Task {
            _ = try? await CLIRun.follow(arguments, in: home) { command in
                while !Self.hasEnded(command.id) { try await Task.sleep(for: .milliseconds(20)) }
            }
        }
        try await FaultLab.wait(for: "the agent") { home.daemon != nil && Self.listens(port) }
    }

    func killAgent() async throws { try await far.killDaemon() }

    /// What its agents have said so far.
    var agentLog: String {
        FaultLab.contents(far.home.folder).filter { $0.hasPrefix("err-") }
            .map { (try? String(contentsOfFile: "\(far.home.folder)/\($0)", encoding: .utf8)) ?? "" }.joined()
    }

    func ensureAgent() async throws {
        if far.home.daemon == nil { try await startAgent() }
    }

    /// Its process is there no more, or only as a zombie.
    private static func hasEnded(_ process: pid_t) -> Bool {
        guard let text = try? String(contentsOfFile: "/proc/\(process)/stat", encoding: .utf8),
            let end = text.lastIndex(of: ")")
        else { return true }
        return text[text.index(after: end)...].drop { $0 == " " }.first == "Z"
    }

    private static func listens(_ port: UInt16) -> Bool {
        let descriptor = socket(AF_INET, Int32(SOCK_STREAM.rawValue) | Int32(SOCK_CLOEXEC.rawValue), 0)
        defer { close(descriptor) }
        var address = loopback(port)
        return withUnsafePointer(to: &address) {
            $0.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                connect(descriptor, $0, socklen_t(MemoryLayout<sockaddr_in>.size)) == 0
            }
        }
    }

    /// The same for every agent of the lab, one after the other: its address is in the database.
    private static func freePort() throws -> UInt16 {
        let descriptor = socket(AF_INET, Int32(SOCK_STREAM.rawValue) | Int32(SOCK_CLOEXEC.rawValue), 0)
        defer { close(descriptor) }
        var address = loopback(0)
        var length = socklen_t(MemoryLayout<sockaddr_in>.size)
        let result = withUnsafeMutablePointer(to: &address) {
            $0.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                bind(descriptor, $0, length) + getsockname(descriptor, $0, &length)
            }
        }
        guard result == 0 else { throw CLIError("no free port: errno \(errno)") }
        return UInt16(bigEndian: address.sin_port)
    }

    private static func loopback(_ port: UInt16) -> sockaddr_in {
        var address = sockaddr_in()
        address.sin_family = sa_family_t(AF_INET)
        address.sin_port = port.bigEndian
        address.sin_addr.s_addr = UInt32(0x7f00_0001).bigEndian
        return address
    }

    // MARK: - What is the case

    /// - Returns: the path of the manifest.
    /// - Parameter disk: of `machine`, a raw image that it only reads.
    func manifest(host: String = "rack=a", disk: String? = nil, of machine: String = "beta") throws -> String {
        let disks = disk.map { "disks: [{id: seed, file: \($0), format: raw, readonly: true}]" }
        return try manifest(host: host, alpha: machine == "alpha" ? disks : nil, beta: machine == "beta" ? disks : nil)
    }

    private func manifest(host: String, alpha: String?, beta: String?) throws -> String {
        try desk.home.file(
            "hosts.yaml",
            """
            simulation: \(FaultLab.name)
            machines:
              alpha:
                qemu: \(desk.bed.qemu.path)
                machine: pc
                memory: 32M
                args: [-qmp, "unix:\(desk.probe("alpha")),server=on,wait=off"]
            \(alpha.map { "    " + $0 } ?? "")
              beta:
                qemu: \(desk.bed.qemu.path)
                machine: pc
                memory: 32M
                host: \(host)
                args: [-qmp, "unix:\(far.probe("beta")),server=on,wait=off"]
            \(beta.map { "    " + $0 } ?? "")

            """
        )
    }

    /// What each QEMU says of itself; a machine without one is not in it.
    func states() async throws -> [String: String] {
        var states: [String: String] = [:]
        states["alpha"] = try await desk.runState(of: "alpha")
        states["beta"] = try await far.runState(of: "beta")
        return states
    }

    var processes: [pid_t] { desk.qemus(of: "alpha") + far.qemus(of: "beta") }

    /// What the authority has revoked so far, for the agent.
    func publishRevocations() throws {
        let list = try Data(contentsOf: URL(filePath: "\(desk.home.path)/pki/revoked"))
        let place = "\(far.home.path)/trust/revoked"
        try list.write(to: URL(filePath: place + ".new"))
        chmod(place + ".new", 0o644)
        guard rename(place + ".new", place) == 0 else { throw CLIError("cannot rename to \(place): errno \(errno)") }
    }

    /// Machines of which a host has files in a checkpoint.
    func machines(of checkpoint: String, on host: FaultLab) -> [String] {
        FaultLab.contents("\(host.home.path)/checkpoints/\(FaultLab.name)/\(checkpoint)/machines")
    }

    static let running = ["alpha": "running", "beta": "running"]
}
