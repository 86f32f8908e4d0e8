import Testing
import Time

@testable import ControlInstance

struct OperationStateTests {
    static let instant = HostInstant(nanosecondsSinceEpoch: 7)

    enum Step: CaseIterable {
        case prepare, arm, happen, commit, rollback, done, fail, refuse, miss, unknown

        func apply(to state: inout OperationState) throws {
            switch self {
            case .prepare: try state.prepare(for: instant)
            case .arm: try state.arm()
            case .happen: try state.happen()
            case .commit: try state.decide(.commit)
            case .rollback: try state.decide(.rollback)
            case .done: try state.finish(.done)
            case .fail: try state.finish(.failed)
            case .refuse: try state.finish(.refused)
            case .miss: try state.finish(.missed)
            case .unknown: try state.finish(.unknown)
            }
        }
    }

    /// The way to each place, and every step that is possible from there; all others are not.
    static let table: [([Step], Set<Step>)] = [
        ([], [.prepare, .rollback, .fail, .refuse, .miss]),
        ([.prepare], [.arm, .rollback, .fail, .refuse, .miss]),
        ([.prepare, .arm], [.happen, .rollback]),
        ([.prepare, .arm, .happen], [.commit, .rollback]),
        ([.prepare, .arm, .happen, .commit], [.commit, .done]),
        ([.prepare, .arm, .happen, .rollback], [.rollback, .fail, .refuse, .miss]),
        ([.prepare, .arm, .rollback], [.rollback, .fail, .refuse, .miss]),
        ([.rollback], [.rollback, .fail, .refuse, .miss]),
        ([.prepare, .arm, .happen, .commit, .done], []),
        ([.prepare, .arm, .rollback, .miss], []),
        ([.refuse], []),
    ]

    @Test(arguments: table)
    func onlyTheseStepsArePossible(_ way: [Step], _ possible: Set<Step>) throws {
        var state = OperationState()
        for step in way { try step.apply(to: &state) }
        for step in Step.allCases {
            var next = state
            if possible.contains(step) {
                try step.apply(to: &next)
            } else {
                #expect(throws: OperationState.WrongStep.self) { try step.apply(to: &next) }
                #expect(next == state, "a step that is refused changes nothing")
            }
        }
    }

    @Test func commitComesOnlyAfterItHasHappenedEverywhere() throws {
        for way in Self.table.map(\.0) where !way.contains(.happen) {
            var state = OperationState()
            for step in way { try step.apply(to: &state) }
            #expect(throws: OperationState.WrongStep.self) { try state.decide(.commit) }
        }
    }

    @Test func aDecisionIsNeverTurnedRound() throws {
        var state = OperationState(phase: .deciding, instant: Self.instant, decision: .commit, outcome: nil)
        #expect(throws: OperationState.WrongStep.self) { try state.decide(.rollback) }
        state = OperationState(phase: .deciding, instant: Self.instant, decision: .rollback, outcome: nil)
        #expect(throws: OperationState.WrongStep.self) { try state.decide(.commit) }
    }

    @Test func theWholeWayIsRemembered() throws {
        var state = OperationState()
        #expect(state.phase == .preparing && state.instant == nil)
        try state.prepare(for: Self.instant)
        #expect(state.phase == .prepared && state.instant == Self.instant)
        try state.arm()
        #expect(state.phase == .armed)
        try state.happen()
        #expect(state.phase == .happened && state.decision == nil)
        try state.decide(.commit)
        #expect(state.phase == .deciding && state.decision == .commit && state.outcome == nil)
        try state.finish(.done)
        #expect(state.phase == .finished && state.outcome == .done)
    }
}
