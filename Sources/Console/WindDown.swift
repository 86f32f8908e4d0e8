import ServiceLifecycle

/// Ends what is under way before the server ends: an operation whose daemon goes away leaves its machines standing still until
/// somebody starts another.
struct WindDown: Service {
    let control: any Control

    func run() async throws {
        try await gracefulShutdown()
        guard await control.windDown() > 0 else { return }
        // Those who follow an operation hear its result before their streams end.
        try await Task.sleep(for: .milliseconds(300))
    }
}
