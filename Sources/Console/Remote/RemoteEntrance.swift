public import HypervisorRemote

/// Where programs elsewhere reach the API: over TLS alone, and with a token alone.
public struct RemoteEntrance: Sendable {
    /// A host name or IP address of this host.
    let address: String
    /// 0: any that is free.
    let port: Int
    /// Who this control instance is, to those who connect.
    let trust: LiveTrust
    let onOpen: @Sendable (Int) -> Void

    /// - Parameter onOpen: called with the port when clients can connect.
    public init(
        address: String,
        port: Int,
        trust: LiveTrust,
        onOpen: @escaping @Sendable (Int) -> Void = { _ in }
    ) {
        self.address = address
        self.port = port
        self.trust = trust
        self.onOpen = onOpen
    }
}

/// Nothing can listen where programs elsewhere were to come in.
public struct RemoteEntranceError: Error, CustomStringConvertible {
    public let description: String
}
