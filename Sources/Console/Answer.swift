import FoundationEssentials
import HTTPTypes
import Hummingbird
import NIOHTTP1

extension Response {
    /// To HEAD the head alone, whoever answers: a body behind it would be taken for the beginning of the next answer.
    func answering(_ request: Request) -> Response { request.method == .head ? createHeadResponse() : self }
}

/// Responses with JSON bodies.
enum Answer {
    static func json(_ value: some Encodable, status: HTTPResponse.Status = .ok) throws -> Response {
        Response(
            status: status,
            headers: [.contentType: "application/json"],
            body: ResponseBody(byteBuffer: ByteBuffer(bytes: try encode(value)))
        )
    }

    /// - Parameter text: in the Prometheus exposition format.
    static func metrics(_ text: String) -> Response {
        Response(
            status: .ok,
            headers: [.contentType: "text/plain; version=0.0.4; charset=utf-8"],
            body: ResponseBody(byteBuffer: ByteBuffer(string: text))
        )
    }

    static func problem(_ problem: Problem) -> Response {
        let status = HTTPResponse.Status(code: problem.status == 0 ? 500 : problem.status)
        // The status' own phrase is empty when it is made of its number.
        let title = HTTPResponseStatus(statusCode: status.code).reasonPhrase
        let document = ProblemDocument(type: "about:blank", title: title, problem: problem)
        // Strings and integers always encode; should they not, the status alone still tells.
        let body = (try? encode(document)) ?? Data()
        return Response(
            status: status,
            headers: [.contentType: "application/problem+json"],
            body: ResponseBody(byteBuffer: ByteBuffer(bytes: body))
        )
    }

    static func encode(_ value: some Encodable) throws -> Data {
        let encoder = JSONEncoder()
        // The same answer is the same bytes: people diff them, and slashes in paths stay readable.
        encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
        return try encoder.encode(value)
    }

    private struct ProblemDocument: Encodable {
        let type: String
        let title: String
        let problem: Problem

        enum CodingKeys: String, CodingKey { case type, title }

        func encode(to encoder: any Encoder) throws {
            var container = encoder.container(keyedBy: CodingKeys.self)
            try container.encode(type, forKey: .type)
            try container.encode(title, forKey: .title)
            try problem.encode(to: encoder)
        }
    }
}
