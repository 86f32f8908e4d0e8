import ArgumentParser
import Console
import ControlInstance
import Glibc
import HypervisorAPI
import NIOCore
import NIOHTTP1

/// What a shell offers for a word that names something which the control instance has.
///
/// The daemon that runs is asked; none is started. Whatever fails, nothing is offered and nothing is said: somebody is in the middle of
/// a line.
enum NameCompletion {
    case simulations
    case checkpoints
    /// Simulations, and the checkpoints of one as soon as there is an '@'.
    case either
    /// The same, and manifests.
    case runnable
    case hosts

    var kind: CompletionKind {
        .custom { words, _, prefix in
            Self.limitTime()
            return (try? await candidates(for: prefix, among: words)) ?? []
        }
    }

    /// Without '@' checkpoints are offered of so many simulations at most: each is a question of its own.
    private static let mostSimulations = 20

    private func candidates(for typed: String, among words: [String]) async throws -> [String] {
        // Shells pass a word as it was typed.
        let prefix = typed.hasPrefix("\"") || typed.hasPrefix("'") ? String(typed.dropFirst()) : typed
        let manifests = self == .runnable ? ManifestCompletion.files(for: prefix) : []
        guard let client = try? Self.client(for: words) else { return manifests }
        if self == .hosts {
            return try await client.get(HostsAnswer.self, "/v1/hosts").value.hosts.map(\.name).filter(Name.isValid)
        }
        let simulations = try await client.get(SimulationsAnswer.self, "/v1/simulations").value.simulations
            .map(\.simulation).filter(Name.isValid)
        if self != .simulations, let at = prefix.firstIndex(of: "@") {
            let simulation = String(prefix[..<at])
            return simulations.contains(simulation) ? try await Self.checkpoints(of: simulation, client) : []
        }
        guard self == .checkpoints else { return simulations + manifests }
        let matching = simulations.filter { $0.hasPrefix(prefix) }
        guard matching.count <= Self.mostSimulations else { return matching.map { "\($0)@" } }
        var found: [String] = []
        for simulation in matching { found += try await Self.checkpoints(of: simulation, client) }
        return found
    }

    private static func checkpoints(of simulation: String, _ client: ControlClient) async throws -> [String] {
        let path = "/v1/simulations/\(simulation)/checkpoints"
        return try await client.get(CheckpointsAnswer.self, path).value.checkpoints.map(\.checkpoint)
            .filter(Name.isValid).map { "\(simulation)@\($0)" }
    }

    private static func client(for words: [String]) throws -> ControlClient? {
        let options = ["--control", "--control-ca"].flatMap { option in
            words.firstIndex(of: option).flatMap { words.dropFirst($0 + 1).first }.map { [option, $0] } ?? []
        }
        return try Session(GlobalOptions.parse(options)).clientOfWhatRuns()
    }

    /// A daemon that stands still must not hold up somebody's prompt. This process has nothing else to do, so it can end wherever it is.
    private static func limitTime() {
        signal(SIGALRM) { _ in _exit(0) }
        alarm(1)
    }
}
