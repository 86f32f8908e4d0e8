import ControlInstance
import HTTPTypes
import Hummingbird
import Logging

/// Turns every error into a problem document, whoever threw it.
struct ProblemMiddleware<Context: RequestContext>: RouterMiddleware {
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
            return Answer.problem(.unknownPath(request.uri.path))
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
}
