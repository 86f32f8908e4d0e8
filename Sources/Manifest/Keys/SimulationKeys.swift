import GuestClock
import HypervisorAPI
import Time

/// The manifest as a whole.
enum SimulationKeys {
    static let simulation = Key(
        "simulation",
        ValueType<String>.name(of: "simulation"),
        required: true,
        "the simulation's name"
    )
    static let clock = Key(
        "clock",
        ValueType<ClockPolicy>.policy,
        standard: "continue",
        "the clock policy of a resume that names none: `continue`, `host`, `+90s`, `-5m`, `at=2026-01-01T00:00:00Z`"
    )
    static let machines = Key(
        "machines",
        ValueType<[Placed<MachineDraft>]>.map(of: "machine", { MachineKeys.type(named: $0) }, "a mapping of machines"),
        required: true,
        "the machines by their names"
    )
    static let links = Key(
        "links",
        ValueType<[Placed<LinkDraft>]>.list(of: LinkKeys.type, "a list of links"),
        "the cables between machines"
    )
    static let resources = Key(
        "resources",
        ValueType<[Placed<ResourceSpec>]>.map(
            of: "resource",
            { ResourceKeys.type(named: $0) },
            "a mapping of resources"
        ),
        "what the simulation holds outside of QEMU while it runs, by names"
    )
    static let quota = Key(
        "quota",
        ValueType<UInt64>.quota,
        "what its checkpoints may take of the disk, in bytes or with K, M, G or T; as much as there is if left out"
    )
    static let clockError = Key(
        "clock-error",
        ValueType<Span>.duration,
        standard: "5ms",
        "how far the clocks of its hosts may be apart, as far as is known; an operation is refused if it may be more"
    )
    static let hooks = Key(
        "hooks",
        HookKeys.type,
        "commands that the control instance runs before and after operations"
    )
    static let triggers = Key(
        "on",
        ValueType<[Placed<TriggerDraft>]>.list(of: TriggerKeys.type, "a list of triggers"),
        "what the control instance does by itself, once, when something happens"
    )
    static let hosts = Key("hosts", ValueType<Never>.notYet("hosts"), "reserved")

    static let type = ValueType<SimulationSpec>.object(
        "the manifest",
        label: "a mapping",
        keys: [
            simulation.description, clock.description, machines.description, links.description, resources.description,
            quota.description, clockError.description, hooks.description, triggers.description, hosts.description,
        ]
    ) { object in
        let name = object(simulation)
        let policy = object(clock) ?? .continue
        let machines = object(machines)
        let links = object(links) ?? []
        let resources = object(resources) ?? []
        let quota = object(quota)
        let clockError = object(clockError)
        let hooks = object(hooks)
        let triggers = object(triggers)
        _ = object(hosts)
        guard let name, let machines else { return nil }
        if machines.isEmpty, object.reading.problems.isEmpty {
            object.reading.report("a simulation needs at least one machine", at: object.place(of: Self.machines))
        }
        var wiring = Wiring(reading: object.reading)
        let cables = wiring.links(links, among: machines)
        let wired = machines.map { wiring.machine($0.value, links: cables) }
        return SimulationSpec(
            name: name,
            clock: policy,
            machines: wired,
            links: cables.map(\.value),
            resources: resources.map(\.value),
            quotaBytes: quota,
            clockErrorLimit: clockError,
            hooks: hooks,
            triggers: triggers.map { wiring.triggers($0, among: wired) }
        )
    }
}
