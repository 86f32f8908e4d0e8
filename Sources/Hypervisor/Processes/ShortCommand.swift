import CShims
import FoundationEssentials
import Glibc
import HypervisorAPI
import Time

/// A tool that runs for seconds and says something: `qemu-img`, a resource's command. Never through a shell.
struct ShortCommand: Sendable {
    enum Cut: Sendable { case timeout, cancelled }

    struct Output: Sendable {
        /// How it ended: the exit status, or the signal's number.
        var status: Int32
        var bySignal: Bool
        var standardOutput: [UInt8]
        var standardError: [UInt8]
        /// Why it was ended before it ended by itself.
        var cut: Cut?

        var succeeded: Bool { status == 0 && !bySignal }

        /// "exit status 3: last line of what it said".
        var failureText: String {
            let text = String(decoding: standardError.isEmpty ? standardOutput : standardError, as: UTF8.self)
            let lines = text.split(whereSeparator: \.isNewline).suffix(3).joined(separator: "; ")
            let end = bySignal ? "ended by signal \(status)" : "exit status \(status)"
            return lines.isEmpty ? end : "\(end): \(lines)"
        }
    }

    /// The program first: a path, or a name that is looked up in PATH.
    var arguments: [String]
    /// Added to this process's own, which they win over.
    var environment: [String: String] = [:]
    /// false: nothing of this process's own environment.
    var inheritsEnvironment = true
    var workingDirectory: String?
    var timeout: Span = .seconds(30)
    /// What it reads; at most as much as a pipe can hold, 1 MiB.
    var input = ""
    /// Bytes kept of each of the two outputs; what comes after them is read and dropped.
    var outputLimit = 1 << 20
    /// Bytes kept of the end of each, beside those of the beginning.
    var outputTail = 0
    /// Whether what it leaves running in its process group ends with it.
    var endsItsGroup = false

    /// - Throws: when it cannot be started, exceeds its time, or the task is cancelled; the process and all of its group
    ///   are gone then. A status other than 0 is no error here.
    func run() async throws(HypervisorError) -> Output {
        let output = try await observe()
        switch output.cut {
        case .timeout: throw failure("command-timeout", "it took longer than \(timeout.duration)")
        case .cancelled: throw failure("cancelled", "it was cancelled")
        case nil: return output
        }
    }

    /// As ``run()``, with what it said until then when it was cut short.
    /// - Throws: when it cannot be started.
    func observe() async throws(HypervisorError) -> Output {
        guard let wake = OwnedDescriptor.pipe() else { throw failure("command-failed", "no descriptors left") }
        let result = await withTaskCancellationHandler {
            await BlockingThread.run { self.runBlocking(cancellation: wake.read) }
        } onCancel: {
            var byte: UInt8 = 1
            _ = write(wake.write.number, &byte, 1)
        }
        return try result.get()
    }

    /// - Throws: also when the status is not 0.
    func runSuccessfully() async throws(HypervisorError) -> Output {
        let output = try await run()
        guard output.succeeded else { throw failure("command-failed", output.failureText) }
        return output
    }

    func failure(_ code: String, _ what: String) -> HypervisorError {
        HypervisorError(code: code, message: "'\(arguments.joined(separator: " "))' failed: \(what)")
    }
}
