import Glibc

/// A value behind a lock.
///
/// Not `Synchronization.Mutex`: on Linux that is a bare futex, which ThreadSanitizer does not see, so that it reports every
/// correct use as a race and a real one drowns. It knows pthread_mutex.
///
/// `@unchecked Sendable`: the value is only reached through ``withLock(_:)``.
final class Guarded<Value>: @unchecked Sendable {
    private var value: Value
    private let mutex: UnsafeMutablePointer<pthread_mutex_t>

    init(_ value: Value) {
        self.value = value
        mutex = .allocate(capacity: 1)
        mutex.initialize(to: pthread_mutex_t())
        pthread_mutex_init(mutex, nil)
    }

    deinit {
        pthread_mutex_destroy(mutex)
        mutex.deallocate()
    }

    func withLock<Result>(_ body: (inout Value) -> Result) -> Result {
        pthread_mutex_lock(mutex)
        defer { pthread_mutex_unlock(mutex) }
        return body(&value)
    }
}
