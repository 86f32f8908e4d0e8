import FoundationEssentials

/// The file with the tokens' digests.
struct TokenFile: Sendable {
    private struct Contents: Codable {
        var version = 1
        let tokens: [AccessToken]
    }

    /// Of as many tokens as there can be, several times over.
    private static let limit = 1 << 20

    private let file: PrivateFile

    var path: String { file.path }

    init(path: String) { file = PrivateFile(path: path) }

    func read() throws(PrivateFile.Failure) -> [AccessToken] {
        guard let bytes = try file.read(limit: Self.limit) else { return [] }
        let contents: Contents
        do {
            contents = try JSONDecoder().decode(Contents.self, from: Data(bytes))
        } catch {
            throw PrivateFile.Failure(why: "it is damaged: \(error)")
        }
        guard contents.version == 1 else { throw PrivateFile.Failure(why: "it is of a later release of fermata") }
        return contents.tokens
    }

    func write(_ tokens: [AccessToken]) throws(PrivateFile.Failure) {
        let bytes: [UInt8]
        do {
            bytes = Array(try Answer.encode(Contents(tokens: tokens)))
        } catch {
            throw PrivateFile.Failure(why: "\(error)")
        }
        try file.write(bytes)
    }
}
