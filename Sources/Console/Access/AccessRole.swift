/// What somebody may do; each role may do what those before it may.
public enum AccessRole: String, Codable, Hashable, Sendable, CaseIterable, Comparable {
    /// See how everything is.
    case view
    /// Drive the simulations that there are.
    case operate
    /// Everything else, also bring in what is new: which is to run programs on the hosts.
    case admin

    public static func < (left: AccessRole, right: AccessRole) -> Bool { left.rank < right.rank }

    private var rank: Int {
        switch self {
        case .view: 0
        case .operate: 1
        case .admin: 2
        }
    }
}
