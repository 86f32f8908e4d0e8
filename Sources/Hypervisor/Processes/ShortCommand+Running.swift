import CShims
import Glibc
import HypervisorAPI
import Time

extension ShortCommand {
    func runBlocking(cancellation: OwnedDescriptor) -> Result<Output, HypervisorError> {
        do throws(HypervisorError) {
            return .success(try runToEnd(cancellation: cancellation))
        } catch {
            return .failure(error)
        }
    }

    private func runToEnd(cancellation: OwnedDescriptor) throws(HypervisorError) -> Output {
        guard let path = arguments.first.flatMap(ExecutablePath.find) else {
            throw failure("command-not-found", "there is no such program")
        }
        guard let output = OwnedDescriptor.pipe(), let errors = OwnedDescriptor.pipe() else {
            throw failure("command-failed", "no descriptors left")
        }
        let input = try standardInput()
        let deadline = MonotonicDeadline(after: timeout)
        for end in [output.read, errors.read] { _ = fcntl(end.number, F_SETFL, O_NONBLOCK) }
        let child = try SpawnedProcess.start(
            path: path,
            arguments: arguments,
            environment: environment,
            workingDirectory: workingDirectory,
            standardInput: input?.number ?? -1,
            standardOutput: output.write.number,
            standardError: errors.write.number,
            ownSession: false
        )
        var collector = Collector(limit: outputLimit)
        while true {
            let ready = DescriptorWait.poll(
                [child.pidfd.number, cancellation.number] + collector.open([output.read, errors.read]),
                until: deadline
            )
            collector.read(output.read, into: 0)
            collector.read(errors.read, into: 1)
            if ready[0] { break }
            if ready[1] {
                endGroup(of: child)
                throw failure("cancelled", "it was cancelled")
            }
            if deadline.hasPassed {
                endGroup(of: child)
                throw failure("command-timeout", "it took longer than \(timeout.duration)")
            }
        }
        // What it started in the background may hold the pipes open for ever: only what is there already is read.
        collector.read(output.read, into: 0)
        collector.read(errors.read, into: 1)
        let end = child.collect()
        return Output(
            status: end.value,
            bySignal: end.by_signal != 0,
            standardOutput: collector.kept[0],
            standardError: collector.kept[1]
        )
    }

    /// A pipe with all of it in it already; nil for nothing.
    private func standardInput() throws(HypervisorError) -> OwnedDescriptor? {
        guard !input.isEmpty else { return nil }
        let bytes = Array(input.utf8)
        guard let pipe = OwnedDescriptor.pipe(), fcntl(pipe.write.number, F_SETFL, O_NONBLOCK) == 0,
            bytes.withUnsafeBytes({ write(pipe.write.number, $0.baseAddress, $0.count) }) == bytes.count
        else { throw failure("command-failed", "it cannot be told what to do: \(String(cString: strerror(errno)))") }
        return pipe.read
    }

    /// The leader is not yet collected, so its group id cannot belong to anybody else.
    private func endGroup(of child: SpawnedProcess) {
        kill(-child.pid, SIGKILL)
        _ = DescriptorWait.poll([child.pidfd.number], until: MonotonicDeadline(after: .seconds(5)))
        _ = child.collect()
    }

    private struct Collector {
        let limit: Int
        var kept: [[UInt8]] = [[], []]
        private var ended = [false, false]
        private var buffer = [UInt8](repeating: 0, count: 65536)

        init(limit: Int) { self.limit = limit }

        func open(_ pipes: [OwnedDescriptor]) -> [Int32] {
            zip(pipes, ended).map { $1 ? -1 : $0.number }
        }

        mutating func read(_ pipe: OwnedDescriptor, into index: Int) {
            while !ended[index] {
                let count = Glibc.read(pipe.number, &buffer, buffer.count)
                if count > 0 {
                    kept[index] += buffer[..<min(count, limit - kept[index].count)]
                } else if count == 0 || (errno != EINTR && errno != EAGAIN) {
                    ended[index] = true
                } else if errno == EAGAIN {
                    return
                }
            }
        }
    }
}
