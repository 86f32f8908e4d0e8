import Hummingbird
import NIOCore

/// A request with the connection that it came by and, if it is a browser's, whose it is.
struct ConsoleContext: RequestContext {
    var coreContext: CoreRequestContextStorage
    let channel: any Channel
    /// nil: it came by the UNIX socket, and so from this user.
    var session: BrowserSession?

    init(source: ApplicationRequestContextSource) {
        coreContext = CoreRequestContextStorage(source: source)
        channel = source.channel
    }
}
