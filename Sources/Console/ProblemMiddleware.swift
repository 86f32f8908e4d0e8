import ControlInstance
import HTTPTypes
import Hummingbird
import Logging

/// Turns every error into a problem document, whoever threw it.
struct ProblemMiddleware<Context: RequestContext>: RouterMiddleware {
    /// What the router knows.
    let endpoints: [Endpoint]

    func handle(
        _ request: Request,
        context: Context,
        next: (Request, Context) async throws -> Response
    ) async throws -> Response {
        do {
            return try await next(request, context)
        } catch let problem as Problem {
            return Answer.problem(problem)
        } catch let error as ControlError {
            return Answer.problem(Problem(error))
        } catch let error as HTTPError where error.status == .notFound {
            return Self.notFound(
                request,
                endpoints.filter { $0.matches(request.uri.path) }.map(\.method.rawValue).sorted()
            )
        } catch let error as any HTTPResponseError {
            var problem = Problem.badRequest("the request cannot be read: \(error)")
            problem.status = error.status.code
            return Answer.problem(problem)
        } catch {
            context.logger.error(
                "request failed",
                metadata: ["path": "\(request.uri.path)", "error": "\(error)"]
            )
            return Answer.problem(.internal(error))
        }
    }

    /// To the router a path that it knows is nothing, too, when the method is one of which it has never heard.
    private static func notFound(_ request: Request, _ allowed: [String]) -> Response {
        guard !allowed.isEmpty else { return Answer.problem(.unknownPath(request.uri.path)) }
        var response = Answer.problem(.methodNotAllowed(request.method.rawValue, request.uri.path, allowed: allowed))
        response.headers[.allow] = allowed.joined(separator: ", ")
        return response
    }
}
