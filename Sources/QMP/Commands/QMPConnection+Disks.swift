public import JSON
public import Time

/// A disk or drive as the guest sees it.
public struct BlockDevice: Hashable, Sendable {
    /// The `-drive` id; empty for `-blockdev`.
    public var device: String
    /// The QOM path or id of the device that it belongs to.
    public var qdev: String?
    public var isRemovable: Bool
    /// What is in it; nil for an empty drive.
    public var inserted: BlockNode?
}

/// A frozen layer and the empty one that comes to lie over it.
public struct DiskOverlay: Hashable, Sendable {
    public var node: String
    /// A node that was added with `backing: null`.
    public var overlay: String

    public init(node: String, overlay: String) {
        self.node = node
        self.overlay = overlay
    }
}

extension QMPConnection {
    public func queryBlock(timeout: Span? = usualTimeout) async throws(QMPError) -> [BlockDevice] {
        try await ask("query-block", timeout: timeout).map { device throws(QMPError) in
            BlockDevice(
                device: try device.string("device"),
                qdev: device.value["qdev"]?.stringValue,
                isRemovable: try device.bool("removable"),
                inserted: device.value["inserted"] == nil ? nil : try BlockNode(device.member("inserted"))
            )
        }
    }

    public func queryNamedBlockNodes(timeout: Span? = usualTimeout) async throws(QMPError) -> [BlockNode] {
        // Not `flat`: then every depth would be 0.
        let reply = try await ask("query-named-block-nodes", timeout: timeout)
        return try reply.map { node throws(QMPError) in try BlockNode(node) }
    }

    /// - Parameter options: as in `-blockdev`: `driver`, `node-name`, …
    public func blockdevAdd(_ options: JSONObject, timeout: Span? = usualTimeout) async throws(QMPError) {
        try await execute(QMPCommand("blockdev-add", arguments: .object(options)), timeout: timeout)
    }

    public func blockdevDel(nodeName: String, timeout: Span? = usualTimeout) async throws(QMPError) {
        let command = QMPCommand("blockdev-del", arguments: ["node-name": .string(nodeName)])
        try await execute(command, timeout: timeout)
    }

    /// Puts every overlay over its node, all at one moment or none of them.
    public func snapshot(_ overlays: [DiskOverlay], timeout: Span? = usualTimeout) async throws(QMPError) {
        let actions = overlays.map { overlay -> JSONValue in
            [
                "type": "blockdev-snapshot",
                "data": ["node": .string(overlay.node), "overlay": .string(overlay.overlay)],
            ]
        }
        let command = QMPCommand("transaction", arguments: ["actions": .array(actions)])
        try await execute(command, timeout: timeout)
    }
}
