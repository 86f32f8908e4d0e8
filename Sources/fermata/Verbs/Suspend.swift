import ArgumentParser

struct Suspend: Verb {
    static let configuration = CommandConfiguration(
        commandName: "suspend",
        abstract: "Stop all machines of a simulation at one instant, save them, and end them.",
        discussion: """
            Without --at or --in, at the first instant at which every host can. RAM that is in memory is brought to disk \
            after the machines are gone; until then (`fermata log`: unsealed) a checkpoint does not survive the host's end.
            """
    )

    @OptionGroup var saving: SaveArguments
    @OptionGroup var instant: InstantOptions
    @OptionGroup var global: GlobalOptions

    func perform(_ session: Session) async throws {
        try await saving.perform("suspend", at: instant.when, session)
    }
}
