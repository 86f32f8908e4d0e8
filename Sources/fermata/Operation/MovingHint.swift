import HypervisorAPI

/// What to do when a resume fails because a host is gone or takes nothing: for people, beside the reasons.
enum MovingHint {
    /// - Parameter target: what was to be resumed.
    /// - Returns: nil when other hosts would not help.
    static func text(for reasons: [Reason], resuming target: String) -> String? {
        let codes = Set(reasons.map(\.code))
        let move = "'fermata resume \(target.contains("@") ? target : "\(target)@NAME") --host MACHINE=HOST'"
        if codes.contains("host-drained") { return "\(move) lets a machine go on on another host" }
        // Its RAM and disks are brought from where they lie: that host has to answer for it.
        guard !codes.isDisjoint(with: ["host-unreachable", "host-no-answer", "host-not-found"]) else { return nil }
        return
            "the machines' parts of the checkpoint lie on that host; when it answers again, \(move) can take them elsewhere, "
            + "and an archive that 'fermata export' wrote before is imported without it"
    }
}
