import HostClock
public import HypervisorAPI
import Time

extension ControlInstance {
    /// Lets a simulation go back to one of its checkpoints. What runs is suspended first, or ended when it is not wanted.
    ///
    /// The operation returned is the resume; the suspend is one of its own, whose events are told with it.
    /// - Throws: when it cannot even begin: no such simulation or checkpoint, busy, the checkpoint's manifest is corrupt (exit
    ///   code 6), the name of what is kept is taken.
    public func rewind(_ request: RewindRequest) async throws(ControlError) -> OperationID {
        try await begin(request.resume.simulation, "rewind", as: request.resume.operation) { id throws(ControlError) in
            let rewind = try await self.plan(request, id)
            return Undertaking(record: rewind.resume.record) { live in await rewind.run(self, live) }
        }
    }

    /// All that can be known before anything is stopped is checked here.
    func plan(_ request: RewindRequest, _ id: OperationID) async throws(ControlError) -> Rewind {
        let simulation = try await existing(request.resume.simulation)
        switch simulation.state {
        case .suspended, .down:
            return Rewind(first: .nothing, resume: try await plan(request.resume, of: simulation, id))
        case .running: break
        default:
            throw ControlError(
                code: "simulation-not-running",
                message: "\(simulation.name) is \(simulation.state.rawValue): it can be rewound when that is over",
                exitCode: 3
            )
        }
        var resume = request.resume
        resume.when = .asap
        let plan = try await plan(resume, of: simulation, id)
        try await refuseUnlessLoadable(plan)
        switch request.keeping {
        case .checkpoint(let name):
            let save = SaveRequest(simulation: simulation.name, checkpoint: name, when: request.resume.when)
            let suspend = try await self.plan(save, .suspend, OperationID.new(at: clock.now()))
            return Rewind(first: .suspend(suspend), resume: plan)
        case .nothing:
            let adopted = simulation.machines.filter(\.adopted)
            guard adopted.isEmpty else {
                throw ControlError(
                    adopted.map { machine in
                        Reason(
                            code: "machine-adopted",
                            machine: machine.name,
                            message: "it was adopted and would run on beside the rewound one: keep what runs, "
                                + "and it is ended when it is saved"
                        )
                    },
                    exitCode: 3
                )
            }
            let instant = resolve(request.resume.when)
            if let instant, instant <= clock.now() {
                throw ControlError(code: "instant-past", message: "\(instant) has passed", exitCode: 3)
            }
            return Rewind(first: .end(simulation, at: instant), resume: plan)
        }
    }

    private func refuseUnlessLoadable(_ plan: OperationPlan) async throws(ControlError) {
        var reasons: [Reason] = []
        for part in plan.parts {
            guard case .resume(let order) = part.order else { continue }
            reasons += try await work(part.hypervisor) { hypervisor throws(HypervisorError) in
                try await hypervisor.obstacles(to: order)
            }
        }
        guard reasons.isEmpty else {
            throw ControlError(
                reasons,
                exitCode: OperationOutcome(failureWith: reasons, otherwise: .refused).exitCode
            )
        }
    }
}
