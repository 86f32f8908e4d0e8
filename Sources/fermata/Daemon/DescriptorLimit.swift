import Glibc

/// How many files the daemon may have open. A machine takes some ten descriptors while it is resumed, and the usual soft limit of 1024
/// would end at a hundred machines.
enum DescriptorLimit {
    /// More than any lab needs; much more would slow programs that look at every possible descriptor.
    private static let wanted: rlim_t = 65_536

    static func raise() {
        var limit = rlimit()
        let resource = __rlimit_resource_t(RLIMIT_NOFILE.rawValue)
        guard getrlimit(resource, &limit) == 0 else { return }
        let target = min(limit.rlim_max, wanted)
        guard limit.rlim_cur < target else { return }
        limit.rlim_cur = target
        // Denied: it works as far as it goes.
        _ = setrlimit(resource, &limit)
    }
}
