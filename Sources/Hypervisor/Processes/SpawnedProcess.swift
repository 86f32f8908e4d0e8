import CShims
import Glibc
import HypervisorAPI
import Time

/// A child, from its start to the moment that somebody collects how it ended.
struct SpawnedProcess: Sendable {
    var pid: Int32
    var pidfd: OwnedDescriptor

    /// - Parameters:
    ///   - arguments: the program's own name first.
    ///   - standardInput: -1 for nothing.
    ///   - inherited: descriptors of ours that the child gets, by the number that they have there (3 or more).
    ///   - ownSession: survives this process and its terminal; otherwise a process group of its own.
    static func start(
        path: String,
        arguments: [String],
        environment: [String: String] = [:],
        inheritsEnvironment: Bool = true,
        workingDirectory: String? = nil,
        standardInput: Int32 = -1,
        standardOutput: Int32,
        standardError: Int32,
        inherited: [Int32: OwnedDescriptor] = [:],
        ownSession: Bool
    ) throws(HypervisorError) -> SpawnedProcess {
        let argumentVector = CStringVector(arguments)
        let environmentVector = CStringVector(Self.environment(environment, inherits: inheritsEnvironment))
        let directory = CStringVector(workingDirectory.map { [$0] } ?? [])
        let numbers = inherited.sorted { $0.key < $1.key }
        let sources = numbers.map(\.value.number)
        let targets = numbers.map(\.key)
        var pid: pid_t = 0
        var pidfd: Int32 = -1
        var stage: Int32 = 0
        let result = withExtendedLifetime((argumentVector, environmentVector, directory, numbers)) {
            sources.withUnsafeBufferPointer { sources in
                targets.withUnsafeBufferPointer { targets in
                    var options = fermata_spawn_options()
                    options.standard_input = standardInput
                    options.standard_output = standardOutput
                    options.standard_error = standardError
                    options.inherited = sources.baseAddress
                    options.inherited_as = targets.baseAddress
                    options.inherited_count = sources.count
                    options.working_directory = directory.first
                    options.new_session = ownSession ? 1 : 0
                    options.new_process_group = ownSession ? 0 : 1
                    return fermata_spawn(
                        path,
                        argumentVector.pointer,
                        environmentVector.pointer,
                        &options,
                        &pid,
                        &pidfd,
                        &stage
                    )
                }
            }
        }
        guard result == 0 else {
            throw HypervisorError(
                code: "process-not-started",
                message: "\(path) cannot be started (\(name(ofStage: stage))): \(String(cString: strerror(-result)))"
            )
        }
        return SpawnedProcess(pid: pid, pidfd: OwnedDescriptor(pidfd))
    }

    /// How it ended; waits for the end.
    func collect() -> fermata_exit {
        var result = fermata_exit()
        while fermata_pidfd_reap(pidfd.number, &result) == -EAGAIN {
            _ = DescriptorWait.poll([pidfd.number], until: MonotonicDeadline(after: .seconds(1)))
        }
        return result
    }

    private static func environment(_ additions: [String: String], inherits: Bool) -> [String] {
        var entries: [String] = []
        var next = inherits ? fermata_environment() : nil
        while let entry = next?.pointee {
            let text = String(cString: entry)
            if additions[String(text.prefix { $0 != "=" })] == nil { entries.append(text) }
            next = next?.advanced(by: 1)
        }
        return entries + additions.sorted { $0.key < $1.key }.map { "\($0.key)=\($0.value)" }
    }

    private static func name(ofStage stage: Int32) -> String {
        switch UInt32(bitPattern: stage) {
        case FERMATA_SPAWN_FORK.rawValue: "fork"
        case FERMATA_SPAWN_SESSION.rawValue: "session"
        case FERMATA_SPAWN_DEATH_SIGNAL.rawValue: "death signal"
        case FERMATA_SPAWN_DIRECTORY.rawValue: "working directory"
        case FERMATA_SPAWN_DESCRIPTORS.rawValue: "descriptors"
        default: "exec"
        }
    }
}
