import ArgumentParser
import Console
import NIOHTTP1
import Time

struct TokenCreate: Verb {
    static let configuration = CommandConfiguration(
        commandName: "create",
        abstract: "Make a token and print it, this once: what is kept of it does not let anybody in."
    )

    @Argument(help: "What the token is known by, here and in the log.")
    var name: String

    @Option(
        help: ArgumentHelp("view, operate or admin.", valueName: "role"),
        transform: { text in
            guard let role = AccessRole(rawValue: text) else {
                let roles = AccessRole.allCases.map(\.rawValue).joined(separator: ", ")
                throw ValidationError("'\(text.prefix(40))' is no role: \(roles).")
            }
            return role
        }
    )
    var role: AccessRole

    @Option(
        name: .customLong("expires"),
        help: ArgumentHelp("How long it is good, such as 30d (default: until it is revoked).", valueName: "duration"),
        transform: { try PKIVerbs.span($0) }
    )
    var life: Span?

    @OptionGroup var global: GlobalOptions

    func validate() throws {
        try CheckpointName.check(name, of: "token")
        if let life, life <= .zero { throw ValidationError("--expires needs a time that is still to come.") }
    }

    func perform(_ session: Session) async throws {
        let body = try JSONText.encode(Body(name: name, role: role, lifeNs: life))
        let answer = try Received<TokenCreated>(try await session.client().send(.POST, "/v1/tokens", body: body))
        session.show(answer) { answer in
            session.terminal.print(answer.token)
            let end = answer.kept.expires.map { "until \(TimeText.local($0, fraction: 0))" } ?? "until it is revoked"
            session.terminal.note(
                "token \(answer.kept.name), role \(answer.kept.role.rawValue), good \(end); it is not shown again"
            )
        }
    }

    private struct Body: Encodable {
        let name: String
        let role: AccessRole
        let lifeNs: Span?
    }
}
