import FermataTesting
import FoundationEssentials
import Testing

/// What FermataTestingTests runs in processes of their own, with state folders of their own.
enum Scenes {
    private static let environment = ProcessInfo.processInfo.environment

    /// The manifest of a bare-metal machine `arm` that says `"tick":N,` once a second, from 1 on.
    static let manifest = environment["FERMATA_SCENES"] ?? ""

    static let areOn: ConditionTrait = .enabled(
        if: !manifest.isEmpty,
        "FermataTestingTests runs it in a process of its own"
    )
}

extension Lab {
    static let ticker = Lab.booted(Scenes.manifest) { lab in
        try await lab.machine("arm").serial.expect("\"tick\":1,", timeout: .seconds(60))
    }
}
