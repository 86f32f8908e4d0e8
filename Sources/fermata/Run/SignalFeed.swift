import CShims
import Dispatch
import Glibc

/// The signals that this process gets, one after the other, instead of ending it. One for a process.
struct SignalFeed: Sendable {
    struct Signal: Hashable, Sendable {
        let number: Int32
        /// Sent by the kernel for a terminal, to everybody in its foreground.
        let isTerminals: Bool
    }

    /// What somebody may send to a program that he started.
    private static let watched = [SIGHUP, SIGINT, SIGQUIT, SIGTERM, SIGUSR1, SIGUSR2, SIGWINCH]

    let signals: AsyncStream<Signal>
    /// Bit N - 1 for signal N: those that this process was started without, as by nohup. They are none of its business, and a program
    /// that it starts has to be started without them, too.
    let ignored: UInt64

    init() throws {
        ignored = Self.watched.filter { fermata_signal_is_ignored($0) != 0 }.reduce(0) { $0 | 1 << ($1 - 1) }
        let pipe = Self.watched.withUnsafeBufferPointer { fermata_watch_signals($0.baseAddress, $0.count) }
        guard pipe >= 0 else {
            throw CommandFailure(.failed, code: "internal", "signals cannot be watched: \(SystemError.text(-pipe))")
        }
        let (signals, feed) = AsyncStream<Signal>.makeStream()
        self.signals = signals
        DispatchQueue(label: "fermata.signals").async {
            var signal = fermata_signal()
            while true {
                let count = read(pipe, &signal, MemoryLayout<fermata_signal>.size)
                if count < 0, errno == EINTR { continue }
                guard count == MemoryLayout<fermata_signal>.size else { return }
                feed.yield(Signal(number: signal.number, isTerminals: signal.from_kernel != 0))
            }
        }
    }
}
