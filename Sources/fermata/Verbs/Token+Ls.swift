import ArgumentParser
import Console
import HostClock
import Time

struct TokenLs: Verb {
    static let configuration = CommandConfiguration(commandName: "ls", abstract: "List tokens, without what they are.")

    @OptionGroup var global: GlobalOptions

    func perform(_ session: Session) async throws {
        let answer = try await session.client().get(TokensAnswer.self, "/v1/tokens")
        session.show(answer) { answer in
            var table = Table(.left("TOKEN"), .left("ROLE"), .left("CREATED"), .left("GOOD UNTIL"))
            for token in answer.tokens {
                let isOver = token.expires.map { $0 <= .now } ?? false
                let end = token.expires.map { TimeText.local($0, fraction: 0) } ?? "revoked"
                table.add(
                    Table.Cell(token.name, .strong),
                    Table.Cell(token.role.rawValue),
                    Table.Cell(TimeText.local(token.created, fraction: 0)),
                    Table.Cell(isOver ? "\(end) (over)" : end, isOver ? .bad : nil)
                )
            }
            session.terminal.print(table)
        }
    }
}
