/// What a launch tells the hypervisor's books about its machines, and asks of them.
struct LaunchBooks: Sendable {
    var add: @Sendable (LifetimeManager) async -> Void
    var remove: @Sendable (MachineName) async -> Void
    /// Those of the named machines of the simulation that are in the books.
    var machines: @Sendable (_ names: [String]) async -> [LifetimeManager]
}
