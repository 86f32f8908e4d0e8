import HostClock
import HypervisorAPI
import Time

extension OperationRun {
    /// Arms all. Whoever is armed acts alone from then on.
    /// - Returns: nil when all are.
    func executeAll(_ prepared: [(OperationPlan.Part, Handle)], at instant: HostInstant) async -> Ending? {
        enum Answer { case armed, refused([Reason]), silent }
        let limit = options.answerTimeout
        let answers = await withTaskGroup(of: (Int, Answer).self) { group in
            for (index, (part, handle)) in prepared.enumerated() {
                group.addTask {
                    // Arming a resume loads what could not be loaded before; the handle says how long that takes.
                    let required = max(.zero, handle.earliest - control.clock.now())
                    let answer = await within(limit + required) { () -> Answer in
                        do throws(HypervisorError) {
                            try await part.hypervisor.execute(handle, at: instant)
                            return .armed
                        } catch {
                            return .refused(error.reasons)
                        }
                    }
                    return (index, answer ?? .silent)
                }
            }
            return await group.reduce(into: [Int: Answer]()) { $0[$1.0] = $1.1 }
        }
        var reasons: [Reason] = []
        var unarmed: [(OperationPlan.Part, Handle)] = []
        for (index, item) in prepared.enumerated() {
            switch answers[index] ?? .silent {
            case .armed: continue
            case .refused(let why): reasons += why
            case .silent: reasons.append(.noAnswer(item.0.hypervisor.host, limit))
            }
            unarmed.append(item)
        }
        guard !reasons.isEmpty else { return nil }
        await cancel(unarmed)
        // A promise ends behind the instant that it is for.
        let isLate = ["instant-too-near", "instant-past", "instant-missed", "handle-expired"]
        let late = reasons.allSatisfy { isLate.contains($0.code) }
        // All: one that is silent may be armed, and so may one that refused, when the call came to it twice.
        return .undo(
            OperationOutcome(failureWith: reasons, otherwise: late ? .missed : .failed),
            reasons,
            prepared.map(\.0)
        )
    }
}
