import Batch
import GuestClock
import Manifest
import Testing
import Time

/// What a right file comes to.
struct BatchPlanTests {
    static let night = """
        batch: night
        timeout: 30s
        matrix:
          offset: [+1h, -5m]
          lab: [pair]
        repeat: 2
        prepare:
          - up: pair.yaml
          - wait: {machine: server, serial: login}
        steps:
          - up: {from: prepared, clock: "${{ offset }}"}
          - wait: {machine: server, guest: 5s}
          - send: {machine: client, port: 1, line: "run ${{ repeat }} of ${{lab}}"}
          - exec: {run: [./check.sh, "$${HOME}"], exit: 3, timeout: 1m}
          - suspend: {as: end, in: 2s}
          - resume: {clock: at=2030-01-01T00:00:00Z, scope: all}
          - checkpoint
          - rewind: s1
          - assert: {machine: server, clock: 2030-01-01T00:00:00Z, within: 10s}
          - assert: {machine: client, no-serial: panic}
          - down
        """

    @Test func `each combination of the values has the steps with its own, the first name varying slowest`() throws {
        let batch = try Sheet.parse(Self.night)
        #expect(
            batch.combinations.map(\.name) == [
                "offset=+1h, lab=pair, repeat=1", "offset=+1h, lab=pair, repeat=2", "offset=-5m, lab=pair, repeat=1",
                "offset=-5m, lab=pair, repeat=2",
            ]
        )
        #expect(batch.combinations.map(\.number) == [1, 2, 3, 4])
        let third = batch.combinations[2].steps
        #expect(third[0].action == .up(.prepared, .init(policy: .offset(.zero - .seconds(300)))))
        #expect(
            third[2].action
                == .send(Port(machine: "client", number: 1, place: Place(line: 13, column: 21)), "run 1 of pair\n")
        )
        #expect(third[3].action == .execute(["/labs/check.sh", "${HOME}"], status: 3))
    }

    @Test func `a limit that a step does not say is the file's`() throws {
        let batch = try Sheet.parse(Self.night)
        let steps = batch.combinations[0].steps
        #expect(batch.prepare[1].timeout == .seconds(30))
        #expect(steps[1].timeout == .seconds(35) && steps[3].timeout == .seconds(60) && steps[0].timeout == nil)
    }

    @Test func `the plan says in words what will be done, with the lines of the file`() throws {
        let batch = try Sheet.parse(Self.night)
        #expect(
            Array(batch.plan.prefix(16)) == [
                "night: 4 combinations",
                "first, once:",
                "  line 8: start /labs/pair.yaml",
                "  line 9: wait until /login/ comes from server (30s at most)",
                "1. offset=+1h, lab=pair, repeat=1:",
                "  line 11: start a copy of what was prepared, clocks +1h",
                "  line 12: wait until 5s have passed in server (35s at most)",
                "  line 13: type 'run 1 of pair' into client's port 1",
                "  line 14: run '/labs/check.sh ${HOME}', which has to end with 3 (1m at most)",
                "  line 15: suspend it as @end in 2s",
                "  line 16: let it go on, clocks at=2030-01-01T00:00:00Z (all of them)",
                "  line 17: save it while it runs",
                "  line 18: go back to @s1",
                "  line 19: check that the clock of server reads 2029-12-31T23:59:50Z to 2030-01-01T00:00:10Z",
                "  line 20: check that /panic/ has not come from client",
                "  line 21: end it",
            ]
        )
        #expect(batch.plan.count == 4 + 4 * 12)
    }

    @Test func `variables of the environment are put in as in a manifest`() throws {
        let text = "batch: a\nsteps: [{up: \"${LAB}@s1\"}, {exec: [echo, \"${WORD:-none}\"]}]\n"
        let batch = try Sheet.parse(text, environment: ["LAB": "lab"])
        #expect(batch.combinations.map(\.name) == ["steps"])
        #expect(
            batch.combinations[0].steps.map(\.action) == [
                .up(.checkpoint(simulation: "lab", "s1"), .init()), .execute(["echo", "none"], status: 0),
            ]
        )
    }
}
