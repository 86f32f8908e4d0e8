import ArgumentParser

/// What `fermata run` begins with: `SIM`, `SIM@NAME`, or else a manifest's path.
enum RunTarget: Hashable, Sendable, CustomStringConvertible {
    case simulation(CheckpointName)
    case manifest(String)

    var description: String {
        switch self {
        case .simulation(let name): name.description
        case .manifest(let path): path
        }
    }
}

extension RunTarget: ExpressibleByArgument {
    static var defaultCompletionKind: CompletionKind { NameCompletion.runnable.kind }

    init?(argument: String) {
        guard !argument.isEmpty else { return nil }
        // No name has a dot or a slash: a manifest of such a name is './lab'.
        self = CheckpointName(argument: argument).map { .simulation($0) } ?? .manifest(argument)
    }
}
