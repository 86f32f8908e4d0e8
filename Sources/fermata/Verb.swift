import ArgumentParser

/// A verb of the command line: does its work with a session, and throws ``CommandFailure`` when it cannot.
protocol Verb: AsyncParsableCommand {
    var global: GlobalOptions { get }
    func perform(_ session: Session) async throws
}

extension Verb {
    func run() async throws {
        do {
            try await perform(try Session(global))
        } catch let failure as CommandFailure {
            FailureReport(failure).write(asJSON: global.json)
            throw ExitCode(failure.status.rawValue)
        }
    }
}
