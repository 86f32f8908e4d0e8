/// What a machine is doing, in QEMU's words.
public enum RunState: Hashable, Sendable {
    case debug
    case inMigrate
    case internalError
    case ioError
    case paused
    case postMigrate
    /// Not started yet (`-S`).
    case preLaunch
    case finishMigrate
    case restoreVM
    case running
    case saveVM
    case shutdown
    /// The guest sleeps (ACPI S3).
    case suspended
    case watchdog
    case guestPanicked
    case colo
    /// A word of a QEMU that is newer than this list.
    case unknown(String)

    private static let words: [String: RunState] = [
        "debug": .debug, "inmigrate": .inMigrate, "internal-error": .internalError, "io-error": .ioError,
        "paused": .paused, "postmigrate": .postMigrate, "prelaunch": .preLaunch, "finish-migrate": .finishMigrate,
        "restore-vm": .restoreVM, "running": .running, "save-vm": .saveVM, "shutdown": .shutdown,
        "suspended": .suspended, "watchdog": .watchdog, "guest-panicked": .guestPanicked, "colo": .colo,
    ]

    public init(_ word: String) {
        self = Self.words[word] ?? .unknown(word)
    }
}

extension RunState: CustomStringConvertible {
    /// QEMU's word.
    public var description: String {
        if case .unknown(let word) = self { return word }
        return Self.words.first { $0.value == self }?.key ?? "unknown"
    }
}
