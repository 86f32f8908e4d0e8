public import JSON
public import Time

extension QMPConnection {
    public func queryMigrate(timeout: Span? = usualTimeout) async throws(QMPError) -> MigrationInfo {
        let reply = try await ask("query-migrate", timeout: timeout)
        return MigrationInfo(.object(try reply.object()))
    }

    /// Begins a save; the answer only says that it began. `MIGRATION` events (capability `events`) tell the rest. A failure
    /// to begin is both an error here and `setup`, `failed` events.
    public func migrate(uri: String, timeout: Span? = usualTimeout) async throws(QMPError) {
        try await execute(QMPCommand("migrate", arguments: ["uri": .string(uri)]), timeout: timeout)
    }

    /// Begins a load, in a process that was started with `-incoming defer`; the answer only says that it began. A process
    /// whose load failed cannot try again.
    public func migrateIncoming(uri: String, timeout: Span? = usualTimeout) async throws(QMPError) {
        try await execute(QMPCommand("migrate-incoming", arguments: ["uri": .string(uri)]), timeout: timeout)
    }

    /// Does nothing when nothing is under way.
    public func migrateCancel(timeout: Span? = usualTimeout) async throws(QMPError) {
        try await execute(QMPCommand("migrate_cancel"), timeout: timeout)
    }

    public func queryMigrateCapabilities(timeout: Span? = usualTimeout) async throws(QMPError) -> [String: Bool] {
        let reply = try await ask("query-migrate-capabilities", timeout: timeout)
        var capabilities: [String: Bool] = [:]
        for entry in try reply.elements() {
            capabilities[try entry.string("capability")] = try entry.bool("state")
        }
        return capabilities
    }

    /// Sets those named and leaves the others. All or none: one that this QEMU does not know is a `GenericError`.
    public func setMigrateCapabilities(
        _ capabilities: [String: Bool],
        timeout: Span? = usualTimeout
    ) async throws(QMPError) {
        let list = capabilities.sorted { $0.key < $1.key }.map { name, isOn -> JSONValue in
            ["capability": .string(name), "state": .bool(isOn)]
        }
        let arguments: JSONValue = ["capabilities": .array(list)]
        try await execute(QMPCommand("migrate-set-capabilities", arguments: arguments), timeout: timeout)
    }

    public func queryMigrateParameters(timeout: Span? = usualTimeout) async throws(QMPError) -> JSONObject {
        try await ask("query-migrate-parameters", timeout: timeout).object()
    }

    /// Sets those named and leaves the others; names and units are QEMU's (`max-bandwidth`: bytes a second, 0 unlimited).
    public func setMigrateParameters(
        _ parameters: JSONObject,
        timeout: Span? = usualTimeout
    ) async throws(QMPError) {
        let command = QMPCommand("migrate-set-parameters", arguments: .object(parameters))
        try await execute(command, timeout: timeout)
    }

    /// Writes the state of all devices (no RAM, no description) to a new file that QEMU opens. A running machine is paused
    /// for it, with STOP and RESUME events. `live: true` is for Xen: it would give up the disks of a stopped machine.
    public func xenSaveDevicesState(
        filename: String,
        live: Bool,
        timeout: Span? = usualTimeout
    ) async throws(QMPError) {
        let arguments: JSONValue = ["filename": .string(filename), "live": .bool(live)]
        try await execute(QMPCommand("xen-save-devices-state", arguments: arguments), timeout: timeout)
    }

    /// Makes every network card, or the one named, tell its switch where it is.
    ///
    /// - Parameters:
    ///   - initial: before the first repetition; `step` is added for each further one, up to `longest`. Whole
    ///     milliseconds.
    public func announceSelf(
        rounds: Int64 = 5,
        initial: Span = .milliseconds(50),
        step: Span = .milliseconds(100),
        longest: Span = .milliseconds(550),
        interfaces: [String] = [],
        timeout: Span? = usualTimeout
    ) async throws(QMPError) {
        var arguments: JSONObject = [
            "initial": .integer(initial.nanoseconds / 1_000_000),
            "max": .integer(longest.nanoseconds / 1_000_000),
            "rounds": .integer(rounds),
            "step": .integer(step.nanoseconds / 1_000_000),
        ]
        if !interfaces.isEmpty { arguments["interfaces"] = .array(interfaces.map(JSONValue.string)) }
        try await execute(QMPCommand("announce-self", arguments: .object(arguments)), timeout: timeout)
    }
}
