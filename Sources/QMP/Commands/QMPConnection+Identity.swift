import JSON
public import Time

public struct KVMStatus: Hashable, Sendable {
    /// The machine runs on KVM.
    public var isEnabled: Bool
    /// This QEMU could.
    public var isPresent: Bool
}

public struct VirtualCPU: Hashable, Sendable {
    public var index: Int64
    /// The thread that runs it, as gettid says.
    public var threadID: Int32
    public var qomPath: String
    /// The architecture, as `x86_64`.
    public var target: String
}

/// A machine type that a QEMU knows.
public struct MachineType: Hashable, Sendable {
    public var name: String
    /// The unversioned name that means this one, as `pc`.
    public var alias: String?
    public var isDefault: Bool
    public var isDeprecated: Bool
    public var mostCPUs: Int64
}

extension QMPConnection {
    public func queryVersion(timeout: Span? = usualTimeout) async throws(QMPError) -> QMPGreeting.Version {
        let reply = try await ask("query-version", timeout: timeout)
        guard let version = QMPGreeting.Version(reply.value) else { throw reply.fault("qemu", "a version") }
        return version
    }

    /// The `-name`; nil when there is none.
    public func queryName(timeout: Span? = usualTimeout) async throws(QMPError) -> String? {
        try await ask("query-name", timeout: timeout).value["name"]?.stringValue
    }

    /// In the usual form with hyphens; all zeros when none was given.
    public func queryUUID(timeout: Span? = usualTimeout) async throws(QMPError) -> String {
        try await ask("query-uuid", timeout: timeout).string("UUID")
    }

    public func queryKVM(timeout: Span? = usualTimeout) async throws(QMPError) -> KVMStatus {
        let reply = try await ask("query-kvm", timeout: timeout)
        return KVMStatus(isEnabled: try reply.bool("enabled"), isPresent: try reply.bool("present"))
    }

    public func queryCPUs(timeout: Span? = usualTimeout) async throws(QMPError) -> [VirtualCPU] {
        try await ask("query-cpus-fast", timeout: timeout).map { cpu throws(QMPError) in
            VirtualCPU(
                index: try cpu.integer("cpu-index"),
                threadID: try cpu.int32("thread-id"),
                qomPath: try cpu.string("qom-path"),
                target: try cpu.string("target")
            )
        }
    }

    public func queryMachines(timeout: Span? = usualTimeout) async throws(QMPError) -> [MachineType] {
        try await ask("query-machines", timeout: timeout).map { machine throws(QMPError) in
            MachineType(
                name: try machine.string("name"),
                alias: machine.value["alias"]?.stringValue,
                isDefault: machine.value["is-default"]?.boolValue ?? false,
                isDeprecated: machine.value["deprecated"]?.boolValue ?? false,
                mostCPUs: try machine.integer("cpu-max")
            )
        }
    }

    /// The type this machine is of, versioned where it has a version: `pc-i440fx-10.0`.
    public func machineType(timeout: Span? = usualTimeout) async throws(QMPError) -> String {
        let reply = try await ask("qom-get", ["path": "/machine", "property": "type"], timeout: timeout)
        let type = try reply.string()
        return type.hasSuffix("-machine") ? String(type.dropLast("-machine".count)) : type
    }
}
