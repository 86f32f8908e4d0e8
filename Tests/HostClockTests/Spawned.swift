import CShims
import Glibc
import Testing

/// A child process started by the shim; killed and collected with the value.
final class Spawned {
    let pid: pid_t
    let pidfd: Int32
    private var collected = false

    struct Failure: Error, Equatable {
        let errno: Int32
        let stage: fermata_spawn_stage
    }

    init(
        _ arguments: [String],
        environment: [String]? = nil,
        output: Int32 = -1,
        inherited: [Int32: Int32] = [:],
        configure: (inout fermata_spawn_options) -> Void = { _ in }
    ) throws {
        var options = fermata_spawn_options()
        options.standard_input = -1
        options.standard_output = output
        options.standard_error = -1
        configure(&options)
        var pid: pid_t = -1
        var pidfd: Int32 = -1
        var stage: Int32 = -1
        let targets = inherited.keys.sorted()
        let sources = targets.compactMap { inherited[$0] }
        let code = sources.withUnsafeBufferPointer { sources in
            targets.withUnsafeBufferPointer { targets in
                options.inherited = sources.baseAddress
                options.inherited_as = targets.baseAddress
                options.inherited_count = sources.count
                return withStrings(arguments) { arguments in
                    guard let environment else {
                        return fermata_spawn(arguments[0], arguments, nil, &options, &pid, &pidfd, &stage)
                    }
                    return withStrings(environment) {
                        fermata_spawn(arguments[0], arguments, $0, &options, &pid, &pidfd, &stage)
                    }
                }
            }
        }
        guard code == 0 else {
            throw Failure(errno: -code, stage: fermata_spawn_stage(rawValue: UInt32(max(0, stage))))
        }
        self.pid = pid
        self.pidfd = pidfd
    }

    deinit {
        if !collected {
            _ = fermata_pidfd_signal(pidfd, SIGKILL)
            _ = wait()
        }
        close(pidfd)
    }

    /// Waits until it has ended; nil when it cannot be collected.
    func wait() -> fermata_exit? {
        var poller = pollfd(fd: pidfd, events: Int16(POLLIN), revents: 0)
        while poll(&poller, 1, -1) != 1 {}
        var result = fermata_exit()
        guard fermata_pidfd_reap(pidfd, &result) == 0 else { return nil }
        collected = true
        return result
    }

    /// What each of its descriptors is open on, as /proc shows it.
    func descriptors() -> [Int32: String] {
        guard let directory = opendir("/proc/\(pid)/fd") else { return [:] }
        defer { closedir(directory) }
        var found: [Int32: String] = [:]
        while let entry = readdir(directory) {
            let name = withUnsafeBytes(of: entry.pointee.d_name) {
                String(decoding: $0.prefix { $0 != 0 }, as: UTF8.self)
            }
            if let number = Int32(name) { found[number] = link(of: "/proc/\(pid)/fd/\(name)") }
        }
        return found
    }

    func status(_ field: String) -> String? {
        contents(of: "/proc/\(pid)/status")?.split(separator: "\n").first { $0.hasPrefix("\(field):") }
            .map { String($0.dropFirst(field.count + 1).drop { $0 == "\t" || $0 == " " }) }
    }
}

func link(of path: String) -> String {
    var bytes = [CChar](repeating: 0, count: 4096)
    let count = readlink(path, &bytes, bytes.count)
    return String(decoding: bytes.prefix(max(0, count)).map { UInt8(bitPattern: $0) }, as: UTF8.self)
}

/// A pipe whose ends close with the value.
final class Pipe {
    let readEnd: Int32
    private(set) var writeEnd: Int32

    init() throws {
        var ends: [Int32] = [-1, -1]
        // Sockets, which can be made close-on-exec at once; Swift's Glibc has no pipe2.
        try #require(socketpair(AF_UNIX, Int32(SOCK_STREAM.rawValue) | Int32(SOCK_CLOEXEC.rawValue), 0, &ends) == 0)
        readEnd = ends[0]
        writeEnd = ends[1]
    }

    deinit {
        closeWriteEnd()
        close(readEnd)
    }

    func closeWriteEnd() {
        if writeEnd >= 0 { close(writeEnd) }
        writeEnd = -1
    }

    /// All that is written until nobody can write any more.
    func readToEnd() -> String {
        closeWriteEnd()
        var all: [UInt8] = []
        var bytes = [UInt8](repeating: 0, count: 4096)
        while true {
            let count = read(readEnd, &bytes, bytes.count)
            guard count > 0 else { return String(decoding: all, as: UTF8.self) }
            all += bytes.prefix(count)
        }
    }
}

private func withStrings<Result>(
    _ strings: [String],
    _ body: (UnsafeMutablePointer<UnsafeMutablePointer<CChar>?>) -> Result
) -> Result {
    var pointers = strings.map { strdup($0) } + [nil]
    defer { for pointer in pointers { free(pointer) } }
    return pointers.withUnsafeMutableBufferPointer { buffer in
        guard let base = buffer.baseAddress else { fatalError("an array of at least one element has an address") }
        return body(base)
    }
}
