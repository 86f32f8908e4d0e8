import GuestClock
import HypervisorAPI

/// What a QEMU binary says about itself.
struct QEMUFacts: Codable, Hashable, Sendable {
    struct Machine: Codable, Hashable, Sendable {
        var name: String
        /// The versioned name behind an alias, e.g. `pc-i440fx-7.2` behind `pc`.
        var aliasOf: String?
    }

    /// Absolute, as asked about.
    var path: String
    /// Major, minor, micro.
    var version: [Int]
    /// E.g. `x86_64`.
    var target: String
    var machines: [Machine]
    var sandbox: Bool
    /// By machine type: what a memory backend must be called to become the machine's memory. Boards that make theirs by themselves are
    /// not in it.
    var memoryIDs: [String: String] = [:]

    var release: QEMURelease { QEMURelease(major: version.first ?? 0, minor: version.count > 1 ? version[1] : 0) }

    var binary: QEMUBinary { QEMUBinary(path: path, version: version, target: target, sandbox: sandbox) }

    /// The name that the stream will carry; nil when the binary has no such machine.
    func pinnedMachineType(_ name: String) -> String? {
        machines.first { $0.name == name }.map { $0.aliasOf ?? $0.name }
    }
}
