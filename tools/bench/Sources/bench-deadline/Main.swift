import CShims
import Glibc
import HostClock
import Time

/// How late the commands of an instant leave: many volleys, one after the other, on this host as it is and with
/// processes that keep it busy.
///
///     bench-deadline [--rounds 300] [--shots 8] [--spin 2ms] [--busy 2]
@main
struct Main {
    static func main() async throws {
        let options = try Options(Array(CommandLine.arguments.dropFirst()))
        let threads = try DeadlineThreads(spin: options.spin)
        print(threads.privileges)
        print("\(options.rounds) instants, \(options.shots) sockets each, spin \(options.spin); µs: p50 / p99 / max")
        print(try await measure("idle", threads, options))
        let load = try (0..<options.busy).map { _ in try BusyProcess() }
        print(try await measure("\(options.busy) busy processes", threads, options))
        withExtendedLifetime(load) {}
    }

    private static func measure(_ name: String, _ threads: DeadlineThreads, _ options: Options) async throws -> String {
        let sockets = try Sockets(options.shots)
        let volley = Volley(sockets.near.map { Shot(descriptor: $0, bytes: Array("{\"execute\":\"stop\"}\n".utf8)) })
        var first: [Int64] = []
        var last: [Int64] = []
        var tooLate = 0
        for _ in 0..<options.rounds {
            let armed: ArmedVolley
            do {
                armed = try threads.arm(volley, at: .now + .milliseconds(10))
            } catch {
                guard case .tooLate = error else { throw error }
                tooLate += 1
                continue
            }
            let report = await armed.fired()
            sockets.drain()
            let lateness = report.shots.compactMap { $0.lateness?.nanoseconds }
            guard report.reachedEveryPeer, let least = lateness.min(), let most = lateness.max() else {
                throw BenchError(text: "a volley did not reach its peers: \(report)")
            }
            first.append(least)
            last.append(most)
        }
        let refused = tooLate == 0 ? "" : ", \(tooLate) refused as too near"
        return "\(name): first write \(Percentiles(first)), last write \(Percentiles(last))\(refused)"
    }
}

struct BenchError: Error, CustomStringConvertible {
    let text: String
    var description: String { text }
}

struct Options {
    var rounds = 300
    var shots = 8
    var spin = Span.milliseconds(2)
    var busy = 2

    init(_ arguments: [String]) throws {
        var rest = arguments[...]
        while let name = rest.popFirst() {
            guard let value = rest.popFirst() else { throw BenchError(text: "\(name) needs a value") }
            switch name {
            case "--rounds": rounds = try Self.count(value)
            case "--shots": shots = try Self.count(value)
            case "--busy": busy = try Self.count(value)
            case "--spin": spin = try Span(parsing: value)
            default: throw BenchError(text: "there is no option \(name); see --rounds --shots --spin --busy")
            }
        }
    }

    private static func count(_ text: String) throws -> Int {
        guard let number = Int(text), 1...10_000 ~= number else { throw BenchError(text: "\(text) is not 1 to 10000") }
        return number
    }
}

struct Percentiles: CustomStringConvertible {
    private let sorted: [Int64]

    init(_ nanoseconds: [Int64]) {
        sorted = nanoseconds.sorted()
    }

    var description: String {
        guard !sorted.isEmpty else { return "nothing measured" }
        return [0.5, 0.99, 1].map(at).joined(separator: " / ")
    }

    private func at(_ share: Double) -> String {
        let index = min(sorted.count - 1, Int(Double(sorted.count) * share))
        let tenths = (sorted[index] + 50) / 100
        return "\(tenths / 10).\(tenths % 10)"
    }
}

final class Sockets {
    private(set) var near: [Int32] = []
    private var far: [Int32] = []

    init(_ count: Int) throws {
        for _ in 0..<count {
            var pair: [Int32] = [-1, -1]
            guard socketpair(AF_UNIX, Int32(SOCK_STREAM.rawValue), 0, &pair) == 0 else {
                throw BenchError(text: "socketpair failed: errno \(errno)")
            }
            near.append(pair[0])
            far.append(pair[1])
        }
    }

    deinit {
        for descriptor in near + far { close(descriptor) }
    }

    func drain() {
        var bytes = [UInt8](repeating: 0, count: 4096)
        for descriptor in far { while recv(descriptor, &bytes, bytes.count, Int32(MSG_DONTWAIT)) > 0 {} }
    }
}

/// A shell in an endless loop, ended with the value or with this process.
final class BusyProcess {
    private var pidfd: Int32 = -1

    init() throws {
        var options = fermata_spawn_options()
        options.standard_input = -1
        options.standard_output = -1
        options.standard_error = -1
        var pid: pid_t = 0
        var stage: Int32 = 0
        let words = ["/bin/sh", "-c", "while kill -0 $PPID; do :; done"]
        var arguments: [UnsafeMutablePointer<CChar>?] = words.map { strdup($0) } + [nil]
        defer { for argument in arguments { free(argument) } }
        let code = fermata_spawn("/bin/sh", &arguments, nil, &options, &pid, &pidfd, &stage)
        guard code == 0 else { throw BenchError(text: "starting a busy process failed: errno \(-code)") }
    }

    deinit {
        _ = fermata_pidfd_signal(pidfd, SIGKILL)
        close(pidfd)
    }
}
