import ArgumentParser

struct Label: Verb {
    static let configuration = CommandConfiguration(
        commandName: "label",
        abstract: "Set labels of a checkpoint, or take them away.",
        discussion: "'fermata log SIM --label key=value' finds checkpoints by them."
    )

    @Argument(
        help: ArgumentHelp("The checkpoint.", valueName: "sim@name"),
        completion: NameCompletion.checkpoints.kind
    )
    var target: CheckpointName

    @Argument(
        help: ArgumentHelp("key=value sets a label, key- takes it away.", valueName: "change"),
        transform: { try LabelChange($0) }
    )
    var changes: [LabelChange]

    @OptionGroup var global: GlobalOptions

    func validate() throws { try target.requireCheckpoint() }

    func perform(_ session: Session) async throws {
        let labels = Dictionary(changes.map { ($0.key, $0.value) }, uniquingKeysWith: { _, last in last })
        try await AnnotateBody(labels: labels, note: nil).send(for: target, session)
    }
}
