import HTTPTypes
import Hummingbird
import HypervisorAPI
import Logging

/// Every error as a ``Refusal``, whoever threw it.
struct RefusalMiddleware: RouterMiddleware {
    func handle(
        _ request: Request,
        context: AgentContext,
        next: (Request, AgentContext) async throws -> Response
    ) async throws -> Response {
        do {
            return try await next(request, context)
        } catch let error as HypervisorError {
            let isMalformed = error.reasons.contains { $0.code == "message-invalid" }
            return try Self.refusal(error.reasons, isMalformed ? .badRequest : .conflict)
        } catch let error as Forbidden {
            return try Self.refusal([Reason(code: "peer-refused", message: error.message)], .forbidden)
        } catch let error as HTTPError where error.status == .notFound || error.status == .methodNotAllowed {
            let message =
                "there is no \(request.method) \(request.uri.path.prefix(100)) here; this agent speaks version "
                + "\(WireFormat.version) of the protocol"
            return try Self.refusal([Reason(code: "version-mismatch", message: message)], .notFound)
        } catch {
            context.logger.error("request failed", metadata: ["path": "\(request.uri.path)", "error": "\(error)"])
            return try Self.refusal([Reason(code: "internal", message: "\(error)")], .internalServerError)
        }
    }

    private static func refusal(_ reasons: [Reason], _ status: HTTPResponse.Status) throws -> Response {
        Response.json(try WireJSON.encode(Refusal(reasons: reasons)), status: status)
    }
}
