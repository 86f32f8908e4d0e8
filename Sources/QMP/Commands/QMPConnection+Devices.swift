public import JSON
public import Time

public struct CharacterDevice: Hashable, Sendable {
    public var label: String
    /// `unix:/path,server=on`, `pty:/dev/pts/3`, `null`, …
    public var filename: String
    public var isFrontendOpen: Bool
}

public struct NetworkCard: Hashable, Sendable {
    /// The device's id.
    public var name: String
    public var mac: String
    public var isPromiscuous: Bool
}

public struct CommandLineOption: Hashable, Sendable {
    /// Without the hyphen.
    public var name: String
    public var parameters: [String]
}

extension QMPConnection {
    public func queryChardev(timeout: Span? = usualTimeout) async throws(QMPError) -> [CharacterDevice] {
        try await ask("query-chardev", timeout: timeout).map { device throws(QMPError) in
            CharacterDevice(
                label: try device.string("label"),
                filename: try device.string("filename"),
                isFrontendOpen: try device.bool("frontend-open")
            )
        }
    }

    /// The cards that have a receive filter: virtio-net and few others; the error of the rest names them.
    public func queryRXFilter(
        name: String? = nil,
        timeout: Span? = usualTimeout
    ) async throws(QMPError) -> [NetworkCard] {
        let arguments: JSONValue = name.map { ["name": .string($0)] } ?? .null
        return try await ask("query-rx-filter", arguments, timeout: timeout).map { card throws(QMPError) in
            NetworkCard(
                name: try card.string("name"),
                mac: try card.string("main-mac"),
                isPromiscuous: try card.bool("promiscuous")
            )
        }
    }

    /// Buses with their devices, as QEMU describes them.
    public func queryPCI(timeout: Span? = usualTimeout) async throws(QMPError) -> JSONValue {
        try await execute(QMPCommand("query-pci"), timeout: timeout)
    }

    /// The commands this QEMU has.
    public func queryCommands(timeout: Span? = usualTimeout) async throws(QMPError) -> Set<String> {
        let reply = try await ask("query-commands", timeout: timeout)
        return Set(try reply.map { command throws(QMPError) in try command.string("name") })
    }

    /// Types, commands and events of this QEMU, as `query-qmp-schema` lists them.
    public func queryQMPSchema(timeout: Span? = usualTimeout) async throws(QMPError) -> JSONValue {
        try await execute(QMPCommand("query-qmp-schema"), timeout: timeout)
    }

    public func queryCommandLineOptions(
        timeout: Span? = usualTimeout
    ) async throws(QMPError) -> [CommandLineOption] {
        try await ask("query-command-line-options", timeout: timeout).map { option throws(QMPError) in
            CommandLineOption(
                name: try option.string("option"),
                parameters: try option.member("parameters").map { parameter throws(QMPError) in
                    try parameter.string("name")
                }
            )
        }
    }

    /// Runs a line of the human monitor and returns what it printed. Its failures are printed, too, not thrown.
    public func humanMonitor(_ line: String, timeout: Span? = usualTimeout) async throws(QMPError) -> String {
        let reply = try await ask("human-monitor-command", ["command-line": .string(line)], timeout: timeout)
        return try reply.string()
    }

    /// What can be yanked: network and block connections and character devices, as QEMU describes them.
    public func queryYank(timeout: Span? = usualTimeout) async throws(QMPError) -> [JSONValue] {
        try await ask("query-yank", timeout: timeout).elements().map(\.value)
    }

    /// Cuts connections that hang, past the queue where that is offered.
    public func yank(_ instances: [JSONValue], timeout: Span? = usualTimeout) async throws(QMPError) {
        let command = QMPCommand(
            "yank",
            arguments: ["instances": .array(instances)],
            outOfBand: greeting.offersOutOfBand
        )
        try await execute(command, timeout: timeout)
    }
}
