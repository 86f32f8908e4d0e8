import CShims
import Glibc
public import HypervisorAPI
public import Time

/// Hooks as processes of this host.
public struct HookProcess: HookRunner {
    /// Bytes kept of the beginning, and of the end, of each of a hook's two outputs.
    private static let kept = 4 << 10
    /// In the environment of the hook and, unless they take care not to have it, of all that it starts.
    private static let mark = "FERMATA_HOOK_RUN"

    public init() {}

    public func run(_ hook: HookSpec, variables: [String: String], input: [UInt8]) async -> HookRun {
        await Self.run(
            hook.command,
            timeout: hook.timeout,
            variables: variables,
            input: String(decoding: input, as: UTF8.self)
        )
    }

    /// A command in the manner of a hook: whatever it does, it comes to an end, what it says is bounded, nothing of it is left.
    /// - Parameters:
    ///   - folder: in which it runs; nil: this process's.
    ///   - variables: added to this process's environment.
    ///   - inherits: false: they are all of its environment.
    public static func run(
        _ arguments: [String],
        in folder: String? = nil,
        timeout: Span,
        variables: [String: String],
        inherits: Bool = true,
        input: String = ""
    ) async -> HookRun {
        let run = "\(getpid())-\(UInt64.random(in: 0...UInt64.max))"
        let begin = ContinuousClock.now
        var command = ShortCommand(
            arguments: arguments,
            environment: variables.merging([mark: run]) { $1 },
            workingDirectory: folder,
            timeout: timeout
        )
        command.input = input
        command.inheritsEnvironment = inherits
        command.outputLimit = kept
        command.outputTail = kept
        command.endsItsGroup = true
        let result: Result<ShortCommand.Output, HypervisorError>
        do throws(HypervisorError) {
            result = .success(try await command.observe())
        } catch {
            result = .failure(error)
        }
        let stragglers = await BlockingThread.run { endStragglers("\(mark)=\(run)") }
        let elapsed = (ContinuousClock.now - begin).components
        let duration = Span(nanoseconds: elapsed.seconds * 1_000_000_000 + elapsed.attoseconds / 1_000_000_000)
        switch result {
        case .failure(let error):
            return HookRun(end: .notStarted, duration: duration, errors: "\(error)", stragglers: stragglers)
        case .success(let output):
            let end: HookRun.End =
                switch output.cut {
                case .timeout: .timeout
                case .cancelled: .cancelled
                case nil: output.bySignal ? .signal : .exited
                }
            return HookRun(
                end: end,
                status: output.cut == nil ? output.status : nil,
                duration: duration,
                output: String(decoding: output.standardOutput, as: UTF8.self),
                errors: String(decoding: output.standardError, as: UTF8.self),
                stragglers: stragglers
            )
        }
    }

    /// What went into a group or session of its own is still known by its environment. One that starts others while they are being
    /// looked for is looked for again.
    private static func endStragglers(_ mark: String) -> Int {
        var ended = 0
        for _ in 0..<20 {
            let found = FolderListing.names(in: "/proc").compactMap { Int32($0) }.filter { pid in
                ProcFile.readStrings("/proc/\(pid)/environ")?.contains(mark) ?? false
            }
            if found.isEmpty { return ended }
            for pid in found {
                let pidfd = fermata_pidfd_open(pid)
                guard pidfd >= 0 else { continue }
                // Looked at once more, now that no other process can have the number.
                if ProcFile.readStrings("/proc/\(pid)/environ")?.contains(mark) ?? false {
                    fermata_pidfd_signal(pidfd, SIGKILL)
                    var gone = pollfd(fd: pidfd, events: Int16(POLLIN), revents: 0)
                    _ = poll(&gone, 1, 1_000)
                    ended += 1
                }
                close(pidfd)
            }
        }
        return ended
    }
}
