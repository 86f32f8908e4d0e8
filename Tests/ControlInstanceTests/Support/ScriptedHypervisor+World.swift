import FoundationEssentials
import GuestClock
import HostClock
import HypervisorAPI
import Synchronization
import Time

extension ScriptedHypervisor.Operation {
    init(_ anyOrder: Order) {
        switch anyOrder {
        case .start(let order):
            self.init(
                id: order.operation,
                kind: .start,
                simulation: order.simulation.name,
                machines: order.simulation.machines.map(\.name),
                phase: .prepared,
                instant: order.instant
            )
        case .suspend(let order), .checkpoint(let order):
            self.init(
                id: order.operation,
                kind: anyOrder.kind,
                simulation: order.simulation,
                machines: order.machines,
                folder: order.folder,
                phase: .prepared,
                instant: order.instant
            )
        case .resume(let order):
            self.init(
                id: order.operation,
                kind: .resume,
                simulation: order.simulation.name,
                machines: order.machines.map(\.name),
                phase: .prepared,
                instant: order.instant,
                checkpoints: order.machines
            )
        }
    }
}

extension ScriptedHypervisor {
    /// The instant has come.
    func happen(_ id: OperationID) {
        world.withLock { world in
            guard let operation = world.operations[id], case .armed = operation.phase else { return }
            world.operations[id]?.phase = .happened
            for machine in operation.machines {
                world.machines["\(operation.simulation)/\(machine)"] = operation.kind == .suspend ? .paused : .running
            }
        }
    }

    /// The host was restarted with all its daemons, the machines live on: what was armed does not happen any more.
    func restart() {
        world.withLock { world in
            for (id, operation) in world.operations {
                if case .armed = operation.phase { world.operations[id]?.phase = .prepared }
            }
        }
    }

    func undo(_ id: OperationID) {
        let folder = world.withLock { world -> String? in
            guard let operation = world.operations.removeValue(forKey: id) else { return nil }
            for machine in operation.machines {
                world.machines["\(operation.simulation)/\(machine)"] = operation.kind.saves ? .running : nil
            }
            return operation.folder
        }
        if let folder { try? FileManager.default.removeItem(atPath: folder) }
    }

    func waitUntilHappened(_ id: OperationID) async {
        while world.withLock({ world in
            if case .happened = world.operations[id]?.phase { return false }
            return world.operations[id] != nil
        }) {
            try? await Task.sleep(for: .milliseconds(1))
        }
    }

    func makeFolder(_ folder: String, _ machines: [String]) {
        for machine in machines {
            let path = "\(folder)/machines/\(machine)"
            try? FileManager.default.createDirectory(atPath: path, withIntermediateDirectories: true)
            try? Data("state".utf8).write(to: URL(filePath: "\(path)/state.qemu"))
        }
    }

    func report(_ id: OperationID, _ outcome: HypervisorReport.Outcome) -> HypervisorReport {
        let operation = world.withLock { $0.operations[id] }
        let instant = operation?.instant ?? .now
        let machines = (operation?.machines ?? []).enumerated().map { index, name in
            let stamp = instant + .microseconds(Int64(10 * (index + 1)))
            let clock = ClockState.sample(at: stamp)
            return MachineReport(
                name: name,
                sentAt: instant,
                happenedAt: stamp,
                lateness: stamp - instant,
                continuedAt: operation?.kind == .checkpoint ? stamp + .milliseconds(1) : nil,
                clock: clock,
                clockBefore: operation?.checkpoints.first { $0.name == name }?.clock,
                ramWay: .stream,
                ramBytes: 4096,
                stages: [Stage(machine: name, name: "stop", startedAt: instant, duration: .microseconds(10))],
                saved: operation?.kind.saves == true
                    ? .sample(
                        name,
                        host: host,
                        stoppedAt: stamp,
                        clock: clock,
                        disks: world.withLock { $0.disks }
                    ) : nil
            )
        }
        return HypervisorReport(
            operation: id,
            kind: operation?.kind ?? .suspend,
            host: host,
            instant: instant,
            outcome: outcome,
            machines: machines,
            clockErrorBound: world.withLock { $0.clockErrorBound },
            notes: ["\(host) is a double"]
        )
    }

    func status(_ simulation: String, _ machine: String, _ state: MachineStatus.State, adopted: Bool) -> MachineStatus {
        let hasPort = world.withLock { $0.said["\(simulation)/\(machine)"] != nil }
        return MachineStatus(
            simulation: simulation,
            name: machine,
            host: host,
            state: state,
            runState: nil,
            processID: nil,
            adopted: adopted,
            monitor: "unix:/none",
            serialSockets: hasPort ? ["/run/serial1.sock"] : [],
            log: hasPort ? "/log/qemu.log" : nil,
            launch: .sample(machine),
            operation: nil
        )
    }
}
