import ArgumentParser
import Console
import ControlInstance
import FoundationEssentials
import HypervisorAPI

struct Clone: Verb {
    static let configuration = CommandConfiguration(
        commandName: "clone",
        abstract: "Let new simulations go on from a checkpoint; the old one stays as it is.",
        discussion: """
            Each has sockets, disks and links of its own. The old one may run, be suspended or down. Network cards keep the addresses \
            that their guests know. A vmgenid device in a machine's args gets another GUID; without one, clones share seeds, keys \
            and session tokens, and the report says so.
            """
    )

    @Argument(
        help: ArgumentHelp("The checkpoint to go on from.", valueName: "sim@name"),
        completion: NameCompletion.checkpoints.kind
    )
    var target: CheckpointName

    @Option(
        name: .customLong("as"),
        help: ArgumentHelp("Name of the new simulation; with --count, of NAME-1, NAME-2…", valueName: "name")
    )
    var name: String

    @Option(help: ArgumentHelp("How many, up to \(CloneRequest.mostClones).", valueName: "number"))
    var count: Int?

    @Flag(name: .customLong("new-macs"), help: "Give network cards other addresses than their guests know.")
    var newMACs = false

    @OptionGroup var instant: InstantOptions
    @OptionGroup var clock: ClockOptions
    @OptionGroup var global: GlobalOptions

    func validate() throws {
        try target.requireCheckpoint()
        try CheckpointName.check(name, of: "simulation")
        if let count, !(1...CloneRequest.mostClones).contains(count) {
            throw ValidationError("--count is from 1 to \(CloneRequest.mostClones).")
        }
    }

    func perform(_ session: Session) async throws {
        let client = try await session.client()
        let body = CloneBody(
            name: name,
            count: count,
            when: instant.when,
            policy: clock.policy,
            scope: clock.scope,
            newMACs: newMACs ? true : nil
        )
        let checkpoint = try target.requireCheckpoint()
        let path = "/v1/simulations/\(target.simulation)/checkpoints/\(checkpoint)/clone"
        let answer = try await client.begin(path, body: try JSONText.encode(body))
        let clones = try Received<ClonesStarted>(answer).value.clones
        let follower = OperationFollower(session: session, client: client, title: "clone of \(target)")
        let reports = try await follower.interruption(of: clones.map(\.operation)).watching {
            var reports: [OperationReport] = []
            for clone in clones { reports.append(try await follower.follow(clone.operation, clone.events)) }
            return reports
        }
        if count == nil, let report = reports.first {
            try OperationText(report).finish(session)
        } else {
            try CloneResults(reports).finish(session)
        }
    }
}
