import ArgumentParser

struct Token: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "token",
        abstract: "Tokens by which programs elsewhere use the control instance's API: create, list, revoke.",
        discussion: """
            For 'fermata serve --listen' (docs/api.md). A role may do what those before it may: view sees how everything is; operate \
            drives the simulations that there are; admin does everything, also brings in new ones, which is to run programs as the \
            daemon's user.
            """,
        subcommands: [TokenCreate.self, TokenLs.self, TokenRevoke.self],
        defaultSubcommand: TokenLs.self
    )
}
