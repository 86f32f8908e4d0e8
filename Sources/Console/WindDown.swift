import ServiceLifecycle

/// Ends what is under way before the server ends: an operation whose daemon goes away leaves its machines standing still until
/// somebody starts another.
struct WindDown: Service {
    let control: any Control

    func run() async throws {
        try await gracefulShutdown()
        await control.windDown()
    }
}
