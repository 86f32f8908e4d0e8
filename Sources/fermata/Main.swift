import ArgumentParser
import Console
import Glibc

@main
struct Fermata: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "fermata",
        abstract:
            "Stops coupled virtual machines together at one instant, saves them with their clocks, lets them go on together.",
        discussion: """
            A simulation is a named set of QEMU machines, described by a manifest:

              fermata doctor                      see whether this host can do it
              fermata up lab.yaml                 start the simulation 'lab'
              fermata suspend lab --in 1s         stop its machines together, save them
              fermata resume lab                  go on, with the clocks they had
              fermata resume lab@s1 --clock +1h   or from there, an hour later
              fermata rewind lab@s1               back to it; what ran is kept
              fermata clone lab@s1 --as two       a second one from there, beside it
              fermata run lab@s1 -- pytest        a command in a copy that ends with it
              fermata batch night.yaml            steps of a file, each time in a copy
              fermata ps, log lab, show lab@s1    see what there is

            Exit codes: 0 done; 1 failed, everything as before; 2 usage; 3 refused,
            nothing happened; 4 instant missed, rolled back; 5 outcome unknown;
            6 checkpoint corrupt or incompatible; 7 host clocks not synchronised;
            130 cancelled.
            """,
        version: "fermata \(FermataVersion.current)",
        subcommands: [
            Up.self, Suspend.self, Checkpoint.self, Resume.self, Rewind.self, Clone.self, Run.self, BatchVerb.self,
            Down.self, Ps.self,
            Log.self, Show.self, Serial.self, Label.self, Note.self, Clock.self, Verify.self, Export.self,
            Import.self, Rm.self, GC.self, Forget.self, Adopt.self, Inspect.self, Validate.self, Schema.self,
            Doctor.self, Resolve.self, Host.self, Token.self, PKIVerbs.self, Agent.self, Serve.self, WebConsole.self,
        ]
    )

    static func main() async {
        // ArgumentParser answers 'help' of a verb that is none with the help of all.
        if CommandLine.arguments.dropFirst().first == "help",
            let verb = Suggestion.unknownVerb(in: Array(CommandLine.arguments.dropFirst()), of: Fermata.self)
        {
            Terminal(environment: [:]).note(verb)
            Glibc.exit(ExitStatus.usage.rawValue)
        }
        do {
            var command = try await asyncParseAsRoot()
            if var asynchronous = command as? any AsyncParsableCommand {
                try await asynchronous.run()
            } else {
                try command.run()
            }
        } catch {
            finish(error)
        }
    }

    /// ArgumentParser ends with 64 for wrong usage; the contract says 2.
    private static func finish(_ error: any Error) -> Never {
        let code = exitCode(for: error)
        guard code == .validationFailure else { exit(withError: error) }
        if CommandLine.arguments.contains("--json") {
            let problem = Problem(code: "usage", detail: message(for: error), exitCode: Int(ExitStatus.usage.rawValue))
            FailureReport(CommandFailure(problem: problem)).write(asJSON: true)
        } else {
            let terminal = Terminal(environment: [:])
            if let verb = Suggestion.unknownVerb(in: CommandLine.arguments, of: Fermata.self) {
                terminal.note(verb)
            } else {
                terminal.note(fullMessage(for: error))
            }
        }
        Glibc.exit(ExitStatus.usage.rawValue)
    }
}
