import Glibc
import HypervisorAPI

/// Which QEMU of this host stands for one that a checkpoint of another host names.
struct ArrivalBinaries: Sendable {
    /// Those that the user named, absolute, as far as this host's owner lets them run.
    let named: [String]
    private let limits: ArrivalLimits?

    /// - Parameter limits: nil: the user is the host's owner.
    init(named: [String], limits: ArrivalLimits? = nil) {
        self.named = named.filter { limits?.admits(binary: $0) ?? true }
        self.limits = limits
    }

    /// - Throws: `qemu-missing`, with what to do.
    func binary(for saved: String) throws(HypervisorError) -> String {
        let name = Self.name(of: saved)
        if let same = named.first(where: { Self.name(of: $0) == name }) ?? (named.count == 1 ? named[0] : nil) {
            guard access(same, X_OK) == 0 else {
                throw HypervisorError(
                    code: "qemu-missing",
                    message:
                        "\(same) cannot be started: \(String(cString: strerror(errno))); name another binary with --qemu"
                )
            }
            return same
        }
        // What an archive names is started to see what it is; that has to be a QEMU.
        guard ["qemu-system-", "qemu-kvm"].contains(where: { name.hasPrefix($0) }) else {
            throw HypervisorError(
                code: "qemu-missing",
                message: "it was saved by '\(saved)', which is no usual name of a QEMU: name the binary with --qemu"
            )
        }
        let admitted = limits.map { limits in limits.binaries.filter { $0.hasSuffix("/") }.map { $0 + name } } ?? []
        for found in [saved.hasPrefix("/") ? saved : nil, ExecutablePath.find(name)].compactMap(\.self) + admitted
        where (limits?.admits(binary: found) ?? true) && access(found, X_OK) == 0 {
            return found
        }
        if let limits {
            throw HypervisorError(
                code: "qemu-missing",
                message:
                    "this host's agent may run no \(name): it runs what its --qemu names (\(limits.binaries.joined(separator: ", ")))"
            )
        }
        throw HypervisorError(
            code: "qemu-missing",
            message: "there is no \(saved) here and no \(name) in PATH: install it, or name the binary with --qemu"
        )
    }

    private static func name(of path: String) -> String { path.split(separator: "/").last.map { String($0) } ?? "" }
}
