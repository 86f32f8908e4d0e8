import Glibc
import Synchronization

/// Room that copying layers may still take. All machines of a simulation get their layers together, and so begin to copy together:
/// each that only looked at what is free would promise the same room.
final class StreamRoom: Sendable {
    private let promised = Mutex<UInt64>(0)

    /// Promises room, if there is as much besides what others were promised.
    /// - Parameters:
    ///   - bytes: to be given back to ``release(_:)``.
    ///   - spare: what has to stay free besides.
    ///   - path: of a file on the volume; others are taken to be on the same one.
    /// - Returns: nil when there is; otherwise how much there is.
    func reserve(_ bytes: UInt64, sparing spare: UInt64, at path: String) -> UInt64? {
        var volume = statvfs()
        guard statvfs(path, &volume) == 0 else { return 0 }
        let free = UInt64(volume.f_bavail).multipliedReportingOverflow(by: UInt64(volume.f_frsize)).partialValue
        return promised.withLock { promised in
            let room = free - min(free, promised)
            guard room >= bytes.addingReportingOverflow(spare).partialValue else { return room }
            promised += bytes
            return nil
        }
    }

    func release(_ bytes: UInt64) { promised.withLock { $0 -= min($0, bytes) } }
}
