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
            let isThere = arguments.first.map { $0.contains("/") && access($0, F_OK) == 0 } ?? false
            throw failure(
                "command-not-found",
                isThere ? "it is there, but may not be executed: chmod +x" : "there is no such program"
            )
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
            inheritsEnvironment: inheritsEnvironment,
            workingDirectory: workingDirectory,
            standardInput: input?.number ?? -1,
            standardOutput: output.write.number,
            standardError: errors.write.number,
            ownSession: false
        )
        var collector = Collector(limit: outputLimit, tail: outputTail)
        var cut: Cut?
        while true {
            let ready = DescriptorWait.poll(
                [child.pidfd.number, cancellation.number] + collector.open([output.read, errors.read]),
                until: deadline
            )
            collector.read(output.read, into: 0)
            collector.read(errors.read, into: 1)
            if ready[0] { break }
            if ready[1] { cut = .cancelled } else if deadline.hasPassed { cut = .timeout }
            if cut != nil { break }
        }
        // Not yet collected, so its group's number cannot be anybody else's.
        if cut != nil || endsItsGroup { kill(-child.pid, SIGKILL) }
        if cut != nil { _ = DescriptorWait.poll([child.pidfd.number], until: MonotonicDeadline(after: .seconds(5))) }
        // What it started in the background may hold the pipes open for ever: only what is there already is read.
        collector.read(output.read, into: 0)
        collector.read(errors.read, into: 1)
        let end = child.collect()
        return Output(
            status: end.value,
            bySignal: end.by_signal != 0,
            standardOutput: collector.text(0),
            standardError: collector.text(1),
            cut: cut
        )
    }

    /// A pipe with all of it in it already; nil for nothing.
    private func standardInput() throws(HypervisorError) -> OwnedDescriptor? {
        guard !input.isEmpty else { return nil }
        let bytes = Array(input.utf8)
        guard let pipe = OwnedDescriptor.pipe(), fcntl(pipe.write.number, F_SETFL, O_NONBLOCK) == 0,
            bytes.count <= Self.pipeSize || fcntl(pipe.write.number, Self.setPipeSize, Int32(bytes.count)) > 0,
            bytes.withUnsafeBytes({ write(pipe.write.number, $0.baseAddress, $0.count) }) == bytes.count
        else { throw failure("command-failed", "it cannot be told what to do: \(String(cString: strerror(errno)))") }
        return pipe.read
    }

    /// What a pipe holds by itself.
    private static let pipeSize = 64 << 10
    /// `F_SETPIPE_SZ`, which needs a feature macro in C.
    private static let setPipeSize: Int32 = 1031

    private struct Collector {
        let limit: Int
        let tail: Int
        private var kept: [[UInt8]] = [[], []]
        private var last: [[UInt8]] = [[], []]
        private var dropped = [0, 0]
        private var ended = [false, false]
        private var buffer = [UInt8](repeating: 0, count: 65536)

        /// Of a pipe that is filled as fast as it is emptied: whoever reads has a deadline, too.
        private static let readsAtOnce = 32

        init(limit: Int, tail: Int) {
            self.limit = limit
            self.tail = tail
        }

        /// What was left out between beginning and end is said in between.
        func text(_ index: Int) -> [UInt8] {
            guard dropped[index] > 0, tail > 0 else { return kept[index] + last[index] }
            return kept[index] + Array("\n[\(dropped[index]) bytes left out]\n".utf8) + last[index]
        }

        func open(_ pipes: [OwnedDescriptor]) -> [Int32] {
            zip(pipes, ended).map { $1 ? -1 : $0.number }
        }

        mutating func read(_ pipe: OwnedDescriptor, into index: Int) {
            for _ in 0..<Self.readsAtOnce where !ended[index] {
                let count = Glibc.read(pipe.number, &buffer, buffer.count)
                if count > 0 {
                    let first = min(count, limit - kept[index].count)
                    kept[index] += buffer[..<first]
                    last[index] += buffer[first..<count].suffix(tail)
                    let surplus = max(0, last[index].count - tail)
                    last[index].removeFirst(surplus)
                    dropped[index] += surplus + max(0, count - first - tail)
                } else if count == 0 || (errno != EINTR && errno != EAGAIN) {
                    ended[index] = true
                } else if errno == EAGAIN {
                    return
                }
            }
        }
    }
}
