/// What a peer is, and so what it may do: a control commands, a hypervisor obeys.
public enum Role: String, Codable, Hashable, Sendable, CaseIterable {
    case control
    case hypervisor
}
