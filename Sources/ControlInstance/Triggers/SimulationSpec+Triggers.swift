import HypervisorAPI
import SerialText
import Time

extension SimulationSpec {
    /// All that is wrong with its triggers.
    var triggerProblems: [String] {
        (triggers ?? []).flatMap { trigger in
            var problems = [trigger.problem(among: machines)?.description].compactMap(\.self)
            switch trigger.condition {
            case .serial(_, _, let pattern): problems += [Pattern.problem(of: pattern)].compactMap(\.self)
            case .event(_, .shutdown) where trigger.saves:
                problems.append("a machine that has shut down cannot be saved")
            case .event: break
            case .guest(let span): if span <= .zero { problems.append("no time is to pass") }
            }
            switch trigger.action {
            case .checkpoint(let name?), .suspend(let name?):
                if !Name.isValid(name) { problems.append(Name.error(name, of: "checkpoint").description) }
            case .hook(let command, _): if command.isEmpty { problems.append("its hook has no command") }
            case .checkpoint, .suspend: break
            }
            return problems.map { "the trigger 'when \(Visible.text(trigger.when))': \($0)" }
        }
    }

    /// A machine that has panicked, or whose watchdog has expired, goes on in that state where it is to be saved; by itself QEMU would end
    /// or reset it.
    mutating func stayForTriggers() {
        for index in machines.indices {
            let name = machines[index].name
            let events = (triggers ?? []).compactMap { trigger -> GuestEvent? in
                guard trigger.saves, case .event(name, let event) = trigger.condition else { return nil }
                return event
            }
            let stays = [GuestEvent.panic, .watchdog].filter { events.contains($0) }
            machines[index].stays = stays.isEmpty ? nil : stays
        }
    }
}
