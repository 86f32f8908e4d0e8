import FoundationEssentials
import TestCommand
import Testing

/// What an older release left behind, as `tools/upgrade/record.py` recorded it.
struct RecordedState: Sendable, CustomTestStringConvertible {
    /// `recorded.json`: what is in it, written down by something that is not fermata.
    struct Content: Decodable, Sendable {
        struct Simulation: Decodable, Hashable, Sendable {
            var name: String
            var state: String
            var checkpoint: String?
        }
        struct Operation: Decodable, Hashable, Sendable {
            var id: String
            var kind: String
            var simulation: String
            var phase: String
            var outcome: String?
        }
        struct Checkpoint: Decodable, Hashable, Sendable {
            var id: String
            var simulation: String
            var name: String
            var parent: String?
            var instantNs: Int64
        }

        /// Identifiers of the migrations that its database has seen.
        var schema: [String]
        var checkpointFormat: Int
        var simulations: [Simulation]
        var operations: [Operation]
        var checkpoints: [Checkpoint]
    }

    private static let folder =
        #filePath.split(separator: "/").dropLast(4).reduce("") { "\($0)/\($1)" } + "/qemu-fixtures/states"

    let name: String
    var testDescription: String { name }

    static let all: [RecordedState] = names(endingWith: ".tar.xz").map(RecordedState.init)
    /// Of the state on a PostgreSQL server.
    static let dumps: [String] = names(endingWith: ".sql.xz").map { "\(folder)/\($0).sql.xz" }

    private static func names(endingWith suffix: String) -> [String] {
        ((try? FileManager.default.contentsOfDirectory(atPath: folder)) ?? []).filter { $0.hasSuffix(suffix) }
            .map { String($0.dropLast(suffix.count)) }.sorted()
    }

    /// - Returns: what is in it; `home` in `folder` is the state folder then.
    func unpack(into folder: String) throws -> Content {
        let packed = "\(Self.folder)/\(name).tar.xz"
        try TestCommand.run([
            "/bin/sh", "-c", "xz -dc '\(packed)' | tar --no-same-owner -xf - -C '\(folder)' home recorded.json",
        ])
        let bytes = try Data(contentsOf: URL(filePath: "\(folder)/recorded.json"))
        return try JSONDecoder().decode(Content.self, from: bytes)
    }
}
