import Hummingbird

/// Stands before the API at the UNIX socket: whoever gets there is the owner.
struct OwnerDoor<API: HTTPResponder>: HTTPResponder where API.Context == ConsoleContext {
    let api: API

    func respond(to request: Request, context: ConsoleContext) async throws -> Response {
        var context = context
        context.caller = .owner
        return try await api.respond(to: request, context: context).answering(request)
    }
}
