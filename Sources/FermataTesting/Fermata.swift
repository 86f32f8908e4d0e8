import FoundationEssentials
import Synchronization

/// Starts simulations that end with this process at the latest: from manifests, or as copies of checkpoints.
public final class Fermata: Sendable {
    /// Of this library. A daemon of another one is warned of, once.
    public static let version = "0.1.0"

    /// By this process's environment: what the trait and ``withSimulation(_:clock:scope:fermata:_:)`` use unless they are told otherwise.
    public static let standard = Fermata()

    let control: Control
    let places: Places
    let discardsFailed: Bool
    private let hasCompared = Mutex(false)

    /// - Parameters:
    ///   - program: the fermata program: a path, or a name in `PATH`. Default: `FERMATA_BINARY`, else `fermata`.
    ///   - environment: of the program; what says where its state is, too (`FERMATA_HOME`, `FERMATA_CONTROL`). Default: this process's.
    ///   - atOnce: how many tests may have simulations at the same time; others wait. Default: `FERMATA_TESTS_AT_ONCE`, else the number of
    ///     processors. Less than 1 counts as 1.
    ///   - discardsFailed: whether nothing is kept of a test that failed. Default: whether `FERMATA_DISCARD_FAILED` is `1`.
    public init(
        program: String? = nil,
        environment: [String: String]? = nil,
        atOnce: Int? = nil,
        discardsFailed: Bool? = nil
    ) {
        let environment = environment ?? ProcessInfo.processInfo.environment
        let named = environment["FERMATA_BINARY"].flatMap { $0.isEmpty ? nil : $0 }
        control = Control(program: program ?? named ?? "fermata", environment: environment)
        let most = atOnce ?? environment["FERMATA_TESTS_AT_ONCE"].flatMap { Int($0) }
        places = Places(most ?? ProcessInfo.processInfo.activeProcessorCount)
        self.discardsFailed = discardsFailed ?? (environment["FERMATA_DISCARD_FAILED"] == "1")
    }

    /// Starts the machines of a manifest.
    /// - Parameters:
    ///   - manifest: the file's path.
    ///   - name: what the simulation's name begins with; default: the file's name.
    /// - Returns: to be ended with ``Simulation/end()``.
    /// - Throws: what `fermata up` refuses; `program-missing`, `daemon-unreachable`, `daemon-of-other-version`, `daemon-elsewhere`.
    public func up(_ manifest: String, name: String? = nil) async throws(FermataError) -> Simulation {
        let path = manifest.hasPrefix("/") ? manifest : "\(FileManager.default.currentDirectoryPath)/\(manifest)"
        let file = path.split(separator: "/").last.map { $0.split(separator: ".").first ?? $0 }
        return try await start(name ?? String(file ?? ""), from: path, ["up", path])
    }

    /// A copy from a checkpoint, which stays as it is. It shares the checkpoint's RAM until it writes to it.
    /// - Parameters:
    ///   - name: what the simulation's name begins with; default: that of the checkpoint's simulation.
    ///   - clock: what its clocks begin with; nil: as the manifest says, which is `continue` unless it says something.
    ///   - scope: which clocks that moves; nil: real-time clocks.
    /// - Returns: to be ended with ``Simulation/end()``.
    /// - Throws: what `fermata clone` refuses; `program-missing`, `daemon-unreachable`, `daemon-of-other-version`, `daemon-elsewhere`.
    public func clone(
        _ checkpoint: Checkpoint,
        name: String? = nil,
        clock: ClockPolicy? = nil,
        scope: ClockPolicy.Scope? = nil
    ) async throws(FermataError) -> Simulation {
        let source = checkpoint.description
        return try await start(
            name ?? checkpoint.simulation,
            from: source,
            ["clone", source] + Simulation.words(clock, scope)
        )
    }

    private func start(_ label: String, from source: String, _ words: [String]) async throws(FermataError) -> Simulation
    {
        try await compareVersions()
        let name = Self.copyName(label)
        // Held before it is there: whenever this process is killed, it is gone.
        let simulation = Simulation(try await Lease(of: name, control), from: source, control)
        do throws(FermataError) {
            try await control.run(words + ["--as", name])
        } catch {
            // Also when this task was cancelled; what cannot be ended now the daemon ends with the lease.
            _ = await Task { try? await simulation.end() }.value
            throw error
        }
        return simulation
    }

    private func compareVersions() async throws(FermataError) {
        guard !hasCompared.withLock({ $0 }) else { return }
        let daemon = try await control.daemon().version
        let isFirst = hasCompared.withLock { hasCompared in
            defer { hasCompared = true }
            return !hasCompared
        }
        guard isFirst, daemon != Self.version else { return }
        Notice.warn(
            "the daemon is fermata \(daemon), this library is \(Self.version): what they expect of each other may differ. End it with "
                + "'fermata serve --stop' after an upgrade; machines go on running meanwhile"
        )
    }

    /// Short: paths of sockets are made of it, and have room for 107 bytes.
    static func copyName(_ label: String) -> String {
        let words = label.lowercased().utf8.split { !(0x61...0x7a).contains($0) && !(0x30...0x39).contains($0) }
        let plain = words.map { String(decoding: $0, as: UTF8.self) }.joined(separator: "-").prefix(20)
        let stem = plain.last == "-" ? plain.dropLast() : plain
        let number = String(UInt32.random(in: .min ... .max), radix: 16)
        return "\(stem.isEmpty ? "test" : stem)-\(String(repeating: "0", count: 8 - number.count))\(number)"
    }
}
