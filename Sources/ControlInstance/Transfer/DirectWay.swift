import HypervisorAPI

/// How the files of a part of a checkpoint go from one agent to another by themselves.
struct DirectWay {
    let sender: any PeerHost
    let receiver: any PeerHost
    /// What the one has to let the other read.
    let order: GrantOrder
    var grant: ReadGrant?
    /// Why bytes go through the control instance all the same; nil: they do not.
    var obstacle: ControlError?

    /// - Returns: nil when one of the two has no agent, and so is the control instance's own host.
    init?(from sender: any Hypervisor, to receiver: any Hypervisor, _ files: some Sequence<FilePlace>) {
        guard let sender = sender as? any PeerHost, let receiver = receiver as? any PeerHost else { return nil }
        self.sender = sender
        self.receiver = receiver
        order = GrantOrder(reader: receiver.host, files: Array(files))
    }

    /// For people.
    var note: String? {
        obstacle.map { obstacle in
            "bytes from host \(sender.host) to \(receiver.host) went through the control instance: \(obstacle)"
        }
    }
}

extension ControlError {
    /// Two hosts cannot do with each other what this one can do with both.
    var isBetweenHosts: Bool {
        let codes: Set = ["peer-unreachable", "grant-refused", "peer-refused", "version-mismatch"]
        return !reasons.isEmpty && reasons.allSatisfy { codes.contains($0.code) }
    }

    /// Asking again is of use: the one may have been started anew, or a connection was lost.
    var isPassing: Bool { !reasons.contains { ["peer-refused", "version-mismatch"].contains($0.code) } }
}
