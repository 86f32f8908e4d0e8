import ArgumentParser
import HypervisorAPI

/// What becomes of the checkpoint's RAM.
struct RAMOptions: ParsableArguments {
    @Flag(
        help:
            "The checkpoint stays (default); machines run on a view of its RAM where they cannot have one of their own at once."
    )
    var keep = false

    @Flag(help: "The checkpoint stays and its RAM is copied first: the next suspend then copies nothing.")
    var copy = false

    @Flag(help: "Machines go on with the checkpoint's own RAM; nobody can go on from it again.")
    var consume = false

    @Flag(help: "The checkpoint stays; what machines write to their RAM is in no file and gone with them.")
    var ephemeral = false

    /// nil: the default.
    var use: RAMUse? { chosen.first?.1 }

    private var chosen: [(String, RAMUse)] {
        [
            ("--keep", keep, .keep), ("--copy", copy, .copy), ("--consume", consume, .consume),
            ("--ephemeral", ephemeral, .ephemeral),
        ]
        .compactMap { (name: String, isSet: Bool, use: RAMUse) in isSet ? (name, use) : nil }
    }

    func validate() throws {
        guard chosen.count > 1 else { return }
        throw ValidationError("Choose one of \(chosen.map(\.0).joined(separator: " and ")).")
    }
}
