import HypervisorAPI
import Testing

@testable import HypervisorRemote

/// Who may read what, by which ticket, until when.
struct ReadGrantsTests {
    private let file = FilePlace(folder: "/home/checkpoints/lab/s1", path: "machines/bmc/ram")
    private let other = FilePlace(folder: "/home/checkpoints/lab/s1", path: "machines/bmc/state.qemu")
    private let now = ContinuousClock.now

    private func granted() -> ReadGrants {
        var grants = ReadGrants()
        grants.add(GrantOrder(reader: "near", files: [file]), ticket: "a", now: now)
        grants.add(GrantOrder(reader: "third", files: [other]), ticket: "b", now: now)
        return grants
    }

    @Test func whoWasNamedReadsWhatWasNamed() {
        let grants = granted()
        #expect(grants.obstacle(to: "near", reading: file, with: "a", now: now) == nil)
        #expect(grants.obstacle(to: "third", reading: other, with: "b", now: now) == nil)
        #expect(grants.areOpen(now: now) && grants.hasReader("near", now: now) && !grants.hasReader("far", now: now))
    }

    @Test func nobodyReadsAnythingElse() {
        let grants = granted()
        for (reader, wanted, ticket, word) in [
            ("near", file, nil, "shows no ticket"), ("near", file, "c", "given out"),
            ("near", file, "b", "another host's"),
            ("third", file, "a", "another host's"), ("near", other, "a", "other files"),
        ] {
            let obstacle = grants.obstacle(to: reader, reading: wanted, with: ticket, now: now)
            #expect(obstacle?.contains(word) == true, "\(reader) \(ticket ?? "")")
        }
    }

    @Test func aGrantEndsByItselfOrWhenItIsTakenBack() {
        var grants = granted()
        let later = now + ReadGrants.lifetime
        #expect(grants.obstacle(to: "near", reading: file, with: "a", now: later)?.contains("ended") == true)
        #expect(!grants.areOpen(now: later) && !grants.hasReader("near", now: later))
        grants.end("a")
        #expect(grants.obstacle(to: "near", reading: file, with: "a", now: now)?.contains("given out") == true)
        #expect(!grants.hasReader("near", now: now) && grants.hasReader("third", now: now))
    }

    @Test func thereIsAnEndToHowManyThereAre() {
        var grants = ReadGrants()
        for number in 0...ReadGrants.most {
            grants.add(
                GrantOrder(reader: "near", files: [file]),
                ticket: "\(number)",
                now: now + .milliseconds(number)
            )
        }
        let end = now + .milliseconds(ReadGrants.most)
        #expect(grants.obstacle(to: "near", reading: file, with: "0", now: end) != nil, "the oldest has gone")
        #expect(grants.obstacle(to: "near", reading: file, with: "1", now: end) == nil)
        #expect(grants.obstacle(to: "near", reading: file, with: "\(ReadGrants.most)", now: end) == nil)
    }
}
