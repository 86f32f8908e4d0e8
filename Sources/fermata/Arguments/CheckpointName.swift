import ArgumentParser
import ControlInstance
import HypervisorAPI

/// `SIM@NAME`, or `SIM` alone where a verb can choose (the newest checkpoint, or the simulation itself).
struct CheckpointName: Hashable, Sendable, CustomStringConvertible {
    let simulation: String
    let checkpoint: String?

    var description: String { checkpoint.map { "\(simulation)@\($0)" } ?? simulation }
}

extension CheckpointName: ExpressibleByArgument {
    static var defaultCompletionKind: CompletionKind { NameCompletion.either.kind }

    init?(argument: String) {
        let parts = argument.split(separator: "@", maxSplits: 1, omittingEmptySubsequences: false).map { String($0) }
        guard parts.allSatisfy({ Name.isValid($0) }) else { return nil }
        simulation = parts[0]
        checkpoint = parts.count == 2 ? parts[1] : nil
    }
}

extension CheckpointName {
    static func check(_ name: String?, of what: String) throws {
        guard let name, !Name.isValid(name) else { return }
        throw ValidationError(
            "'\(name)' cannot be the name of a \(what): up to 63 of a-z, 0-9, _ and -, the first a letter or digit."
        )
    }
}

extension CheckpointName {
    func requireSimulation() throws {
        guard checkpoint == nil else {
            throw ValidationError(
                "This verb works on a simulation: write '\(simulation)', without '@\(checkpoint ?? "")'."
            )
        }
    }

    /// - Returns: the checkpoint's name.
    @discardableResult
    func requireCheckpoint() throws -> String {
        guard let checkpoint else {
            throw ValidationError(
                "This verb works on a checkpoint: write '\(simulation)@NAME' ('fermata log \(simulation)' lists them)."
            )
        }
        return checkpoint
    }
}
