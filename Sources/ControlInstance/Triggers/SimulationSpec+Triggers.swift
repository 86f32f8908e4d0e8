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

extension ControlInstance {
    /// Triggers that look at machines of hosts which do not tell what these do.
    func triggerObstacles(_ spec: SimulationSpec) -> [Reason] {
        (spec.triggers ?? []).compactMap { trigger in
            guard let machine = trigger.machine else { return nil }
            let host = spec.machines.first { $0.name == machine }?.host ?? ownHost
            // A host that is not there is told elsewhere.
            guard let hypervisor = hypervisor(of: host), !(hypervisor is any MachineWatcher) else { return nil }
            return Reason(
                code: "trigger-elsewhere",
                machine: machine,
                message:
                    "'when \(Visible.text(trigger.when))' cannot be known: \(Self.cannotWatch(machine, host)). Take the trigger "
                    + "out, or run \(machine) on \(ownHost)"
            )
        }
    }
}
