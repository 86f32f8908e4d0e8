import FoundationEssentials
import HypervisorAPI
import Manifest
import Testing
import Time

/// `on:` as it is read, and as it is refused.
struct TriggerTests {
    private static let whole = """
        simulation: a
        machines:
          left: {arch: x86_64, machine: pc, serial: [wire, log]}
          right: {arch: x86_64, machine: pc}
        links: [{name: wire, kind: serial, between: [left, right]}]
        on:
          - {machine: left, serial: 'login: ?$', checkpoint: booted}
          - {machine: right, serial: up, port: 0, suspend: }
          - {machine: left, event: panic, suspend: crashed}
          - {machine: left, event: shutdown, hook: {run: [./tell, now], timeout: 5s}}
          - {guest: 10m, checkpoint: }
        """

    private static func specs(_ folder: String) -> [TriggerSpec] {
        [
            TriggerSpec(.serial(machine: "left", port: nil, pattern: "login: ?$"), .checkpoint("booted")),
            TriggerSpec(.serial(machine: "right", port: 0, pattern: "up"), .suspend(nil)),
            TriggerSpec(.event(machine: "left", .panic), .suspend("crashed")),
            TriggerSpec(.event(machine: "left", .shutdown), .hook(["\(folder)/tell", "now"], timeout: .seconds(5))),
            TriggerSpec(.guest(.seconds(600)), .checkpoint(nil)),
        ]
    }

    @Test func everyKindArrivesInItsOrder() throws {
        let lab = try Lab()
        let spec = try lab.parse(Self.whole)
        let triggers = try #require(spec.triggers)
        #expect(triggers == Self.specs(lab.folder))
        let left = try #require(spec.machines.first)
        #expect(triggers[0].port(of: left) == 1, "the first port is a link's")
        #expect(
            triggers.map { "\($0.when): \($0.what)" } == [
                "left says /login: ?$/: checkpoint booted", "right's port 0 says /up/: suspend",
                "left panics: suspend to crashed", "left shuts down: run \(lab.folder)/tell",
                "10m have passed in the guests: checkpoint",
            ]
        )
        #expect(try lab.parse("simulation: a\nmachines: {m: {arch: x86_64, machine: pc}}\n").triggers == nil)
    }

    @Test func theyComeBackFromJSONAsTheyWere() throws {
        let triggers = Self.specs("/lab")
        let bytes = try JSONEncoder().encode(triggers)
        #expect(try JSONDecoder().decode([TriggerSpec].self, from: bytes) == triggers)
        for text in [
            "{}", #"{"serial":"x","action":"checkpoint"}"#, #"{"guestNs":5}"#, #"{"guestNs":5,"action":"hook"}"#,
        ] {
            #expect(throws: (any Error).self) { try JSONDecoder().decode(TriggerSpec.self, from: Data(text.utf8)) }
        }
    }

    static let wrong: [WrongManifestTests.Case] = [
        .init(pair: "on: {machine: left}", "5:5: expected a list of triggers, found a mapping"),
        .init(pair: "on: [left]", "5:6: expected a trigger's mapping, found 'left'"),
        .init(
            pair: "on: [{machine: left, serial: x}]",
            "5:6: a trigger does one of 'checkpoint', 'suspend' and 'hook'; this has none"
        ),
        .init(
            pair: "on: [{machine: left, serial: x, checkpoint: , suspend: s}]",
            "5:6: a trigger does one of 'checkpoint', 'suspend' and 'hook'; this has 'checkpoint' and 'suspend'"
        ),
        .init(
            pair: "on: [{machine: left, checkpoint: a}]",
            "5:6: a trigger has one of 'serial', 'event' and 'guest'; this has none"
        ),
        .init(
            pair: "on: [{machine: left, serial: x, event: panic, checkpoint: a}]",
            "5:6: a trigger has one of 'serial', 'event' and 'guest'; this has 'serial' and 'event'"
        ),
        .init(pair: "on: [{serial: x, checkpoint: a}]", "5:6: the key 'machine' is missing"),
        .init(
            pair: "on: [{machine: lfet, serial: x, checkpoint: a}]",
            "5:16: there is no machine 'lfet'; did you mean 'left'?"
        ),
        .init(
            pair: "on: [{machine: left, serial: x, port: 1, checkpoint: a}]",
            "5:39: port 1 of 'left' is no 'log', which alone can be listened to"
        ),
        .init(
            pair: "on: [{machine: left, event: panic, port: 0, checkpoint: a}]",
            "5:42: 'port' belongs to 'serial'"
        ),
        .init(pair: "on: [{machine: left, serial: '[', checkpoint: a}]", "5:30: '[' is no regular expression"),
        .init(
            pair: "on: [{machine: left, serial: '', checkpoint: a}]",
            "5:30: an empty pattern is found in everything"
        ),
        .init(
            pair: "on: [{machine: left, event: panik, checkpoint: a}]",
            "5:29: expected panic or watchdog or shutdown or reset, found 'panik'; did you mean 'panic'?"
        ),
        .init(
            pair: "on: [{machine: left, event: shutdown, checkpoint: a}]",
            "5:29: a machine that has shut down cannot be saved: only 'hook' can follow 'event: shutdown'"
        ),
        .init(
            pair: "on: [{machine: left, guest: 5s, checkpoint: a}]",
            "5:16: 'guest' is about all machines, which run together: leave 'machine' out"
        ),
        .init(pair: "on: [{guest: 0s, checkpoint: a}]", "5:14: expected a duration longer than nothing, found '0s'"),
        .init(
            pair: "on: [{guest: 5s, checkpoint: A}]",
            "5:30: 'A' cannot be the name of a checkpoint"
        ),
        .init(pair: "on: [{guest: 5s, hook: [./x]}]", "5:24: expected a hook's mapping, found a list"),
        .init(pair: "on: [{guest: 5s, hook: {}}]", "5:24: the key 'run' is missing"),
        .init(
            pair: "on: [{guest: 5s, once: true, checkpoint: a}]",
            "5:18: a trigger has no key 'once'; known: machine, port, serial"
        ),
        .init(
            "a machine without a port to listen to",
            "simulation: a\nmachines:\n  m: {arch: x86_64, machine: pc, serial: [none]}\n"
                + "on: [{machine: m, serial: x, checkpoint: a}]\n",
            "4:6: 'm' has no serial port 'log', which alone can be listened to"
        ),
    ]

    @Test(arguments: wrong) func isRefusedWithItsPlace(_ wrong: WrongManifestTests.Case) throws {
        let found = try Lab().problems(wrong.text)
        #expect(found.count == wrong.problems.count, "\(found)")
        for (found, expected) in zip(found, wrong.problems) { #expect(found.hasPrefix(expected), "\(found)") }
    }
}
