import ArgumentParser

struct GlobalOptions: ParsableArguments {
    @Flag(help: "Print JSON: one object, or one line for each event while an operation runs, the result last.")
    var json = false

    @Option(
        help: ArgumentHelp(
            "Control instance to talk to, unix:/path or https://HOST:PORT (default: FERMATA_CONTROL, else the daemon of FERMATA_HOME, which is started by itself).",
            valueName: "address"
        )
    )
    var control: String?

    @Option(
        help: ArgumentHelp(
            "Over https: the authority's certificate, ca.pem of 'fermata pki init' (default: FERMATA_CONTROL_CA).",
            valueName: "file"
        )
    )
    var controlCa: String?
}
