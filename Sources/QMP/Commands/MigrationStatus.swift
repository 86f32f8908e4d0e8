import JSON

/// How far a migration has got, in QEMU's words; a save to a file or descriptor is one.
public enum MigrationStatus: Hashable, Sendable {
    /// There was none yet.
    case none
    case setup
    case active
    case preSwitchover
    case device
    case postcopy
    case cancelling
    case cancelled
    case completed
    case failed
    /// Another word: COLO, a wait, one of a newer QEMU.
    case unknown(String)

    private static let words: [String: MigrationStatus] = [
        "none": .none, "setup": .setup, "active": .active, "pre-switchover": .preSwitchover, "device": .device,
        "postcopy-active": .postcopy, "cancelling": .cancelling, "cancelled": .cancelled, "completed": .completed,
        "failed": .failed,
    ]

    public init(_ word: String) {
        self = Self.words[word] ?? .unknown(word)
    }

    /// It goes on: neither not begun nor at its end. A word we do not know counts as going on.
    public var isUnderWay: Bool {
        switch self {
        case .none, .cancelled, .completed, .failed: false
        case .setup, .active, .preSwitchover, .device, .postcopy, .cancelling, .unknown: true
        }
    }
}

extension MigrationStatus: CustomStringConvertible {
    /// QEMU's word.
    public var description: String {
        if case .unknown(let word) = self { return word }
        return Self.words.first { $0.value == self }?.key ?? "unknown"
    }
}

extension QMPEvent {
    /// Of a `MIGRATION` event; nil for any other.
    public var migrationStatus: MigrationStatus? {
        guard name == "MIGRATION" else { return nil }
        return data["status"]?.stringValue.map(MigrationStatus.init)
    }
}
