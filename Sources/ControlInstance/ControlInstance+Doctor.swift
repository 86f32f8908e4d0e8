import HypervisorAPI
import Synchronization
import Time

extension ControlInstance {
    /// A host asks every QEMU that it has, thirty on some, what that can do.
    static let descriptionTimeout = Span.seconds(60)

    /// What every host can do, and what the control instance finds wrong with its own state.
    public func doctor() async -> DoctorReport {
        var findings: [HypervisorDescription.Finding] = []
        do throws(ControlError) {
            let unfinished = try await reading { () throws(StoreError) in try await self.store.unfinishedOperations() }
                .filter { operation in state.withLock { $0.live[operation.id] == nil } }
            for operation in unfinished {
                findings.append(
                    .init(
                        level: .problem,
                        subject: operation.simulation,
                        message: "\(operation.kind.rawValue) \(operation.id) has no known outcome; "
                            + "'fermata resolve \(operation.simulation)' asks its hosts again or decides it, "
                            + "'fermata down \(operation.simulation)' ends what is left"
                    )
                )
            }
            let checkpoints = try await reading { () throws(StoreError) in try await self.store.checkpoints(of: nil) }
            for checkpoint in checkpoints where checkpoint.keeper == nil {
                let place = checkpointSet.place(of: checkpoint.name, simulation: checkpoint.simulation)
                do throws(ControlError) {
                    _ = try checkpointSet.load(place)
                } catch {
                    let subject = "\(checkpoint.simulation)@\(checkpoint.name)"
                    findings.append(.init(level: .problem, subject: subject, message: error.description))
                }
            }
            findings += try await quotaFindings()
            let count = checkpoints.count == 1 ? "1 checkpoint" : "\(checkpoints.count) checkpoints"
            findings.append(.init(level: .ok, subject: "state", message: "\(home): \(count)"))
        } catch {
            findings.append(.init(level: .problem, subject: "state", message: error.description))
        }
        findings += await databaseFindings()
        var hosts: [HypervisorDescription] = []
        for hypervisor in hypervisors {
            do throws(ControlError) {
                hosts.append(
                    try await ask(hypervisor, within: Self.descriptionTimeout) { hypervisor throws(HypervisorError) in
                        try await hypervisor.describe()
                    }
                )
            } catch {
                findings.append(.init(level: .problem, subject: hypervisor.host, message: error.description))
            }
        }
        return DoctorReport(home: home, hosts: hosts, findings: findings)
    }
}
