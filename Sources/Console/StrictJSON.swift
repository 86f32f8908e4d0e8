import FoundationEssentials

/// A request body that says which fields it has, so that a misspelt one is refused instead of silently ignored.
protocol StrictBody: Decodable {
    static var fields: [String] { get }
}

enum StrictJSON {
    /// Deeper bodies than this are nobody's.
    static func decode<Body: StrictBody>(_: Body.Type, from bytes: [UInt8]) throws(Problem) -> Body {
        do {
            return try JSONDecoder().decode(Checked<Body>.self, from: Data(bytes)).body
        } catch let error as DecodingError {
            throw .badRequest(sentence(error))
        } catch let problem as Problem {
            throw problem
        } catch {
            throw .badRequest("the request's body cannot be read: \(error)")
        }
    }

    private struct Checked<Body: StrictBody>: Decodable {
        let body: Body

        init(from decoder: any Decoder) throws {
            let names = try decoder.container(keyedBy: AnyKey.self).allKeys.map(\.stringValue)
            let unknown = names.filter { !Body.fields.contains($0) }.sorted()
            guard unknown.isEmpty else {
                let known = Body.fields.isEmpty ? "no fields" : Body.fields.sorted().joined(separator: ", ")
                throw Problem.badRequest(
                    "the request's body has unknown fields: \(unknown.joined(separator: ", ")); it can have \(known)"
                )
            }
            body = try Body(from: decoder)
        }
    }

    private struct AnyKey: CodingKey {
        let stringValue: String
        var intValue: Int? { nil }

        init?(stringValue: String) { self.stringValue = stringValue }
        init?(intValue: Int) { nil }
    }

    private static func sentence(_ error: DecodingError) -> String {
        switch error {
        case .keyNotFound(let key, let context):
            "the request's body lacks the field \(path(context.codingPath + [key]))"
        case .typeMismatch(_, let context), .valueNotFound(_, let context):
            "the field \(path(context.codingPath)) of the request's body has the wrong type: \(context.debugDescription)"
        case .dataCorrupted(let context):
            context.codingPath.isEmpty
                ? "the request's body is not valid JSON: \(context.debugDescription)"
                : "the field \(path(context.codingPath)) of the request's body is wrong: \(context.debugDescription)"
        @unknown default:
            "the request's body cannot be read"
        }
    }

    private static func path(_ keys: [any CodingKey]) -> String {
        keys.isEmpty
            ? "(the body itself)"
            : keys.map { key in key.intValue.map { "[\($0)]" } ?? key.stringValue }.joined(separator: ".")
    }
}
