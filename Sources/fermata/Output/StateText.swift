import ControlInstance
import HypervisorAPI

/// States as cells, in the colour of their news.
enum StateText {
    static func cell(_ state: SimulationState) -> Table.Cell {
        let style: Style =
            switch state {
            case .running: .good
            case .suspended, .down: .faint
            case .starting, .suspending, .checkpointing, .resuming: .warning
            case .unknown: .bad
            }
        return Table.Cell(state.rawValue, style)
    }

    static func cell(_ state: MachineStatus.State) -> Table.Cell {
        let style: Style =
            switch state {
            case .running: .good
            case .paused, .loading, .saving: .warning
            case .dead, .unreachable: .bad
            }
        return Table.Cell(state.rawValue, style)
    }
}
