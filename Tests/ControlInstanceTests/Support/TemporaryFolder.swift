import FoundationEssentials
import Glibc
import Synchronization

/// A folder that is there as long as somebody holds the object, at the longest until the test process ends: what a test has
/// killed or made hang holds its folder for ever.
final class TemporaryFolder: Sendable {
    let path: String

    private static let all = Mutex<Set<String>>([])
    private static let removalAtExit: Void = {
        atexit {
            for path in TemporaryFolder.all.withLock({ $0 }) { try? FileManager.default.removeItem(atPath: path) }
        }
    }()

    init() throws {
        _ = Self.removalAtExit
        path = FileManager.default.temporaryDirectory.path + "/fermata-control-\(UInt64.random(in: 0 ... .max))"
        Self.all.withLock { [path] in _ = $0.insert(path) }
        try FileManager.default.createDirectory(atPath: path, withIntermediateDirectories: true)
    }

    deinit {
        try? FileManager.default.removeItem(atPath: path)
        Self.all.withLock { [path] in _ = $0.remove(path) }
    }
}
