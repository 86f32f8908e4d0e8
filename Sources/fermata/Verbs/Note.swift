import ArgumentParser

struct Note: Verb {
    static let configuration = CommandConfiguration(
        commandName: "note",
        abstract: "Write a note about a checkpoint; an empty text takes it away."
    )

    @Argument(
        help: ArgumentHelp("The checkpoint.", valueName: "sim@name"),
        completion: NameCompletion.checkpoints.kind
    )
    var target: CheckpointName

    @Argument(help: "The note, instead of the one that is there.")
    var text: String

    @OptionGroup var global: GlobalOptions

    func validate() throws { try target.requireCheckpoint() }

    func perform(_ session: Session) async throws {
        try await AnnotateBody(labels: nil, note: text).send(for: target, session)
    }
}
