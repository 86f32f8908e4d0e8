import ArgumentParser

struct GlobalOptions: ParsableArguments {
    @Flag(help: "Print JSON: one object, or one line for each event while an operation runs, the result last.")
    var json = false

    @Option(
        help: ArgumentHelp(
            "Socket of the control instance to talk to (default: FERMATA_CONTROL, else the daemon of FERMATA_HOME, which is started by itself).",
            valueName: "unix:/path"
        )
    )
    var control: String?
}
