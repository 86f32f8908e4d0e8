import ArgumentParser

struct Checkpoint: Verb {
    static let configuration = CommandConfiguration(
        commandName: "checkpoint",
        abstract: "Save all machines of a simulation as they are at one instant; they run on.",
        discussion: """
            They stop together at the instant and go on together a moment later; their RAM is saved while they run on, where \
            the kernel and QEMU can do that (the report says so). Without --at or --in, at the first instant at which every host can.
            """
    )

    @OptionGroup var saving: SaveArguments
    @OptionGroup var instant: InstantOptions
    @OptionGroup var global: GlobalOptions

    func perform(_ session: Session) async throws {
        try await saving.perform("checkpoint", at: instant.when, session)
    }
}
