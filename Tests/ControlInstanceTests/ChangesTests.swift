import HypervisorAPI
import Testing

@testable import ControlInstance

/// What followers of changes hear, from wherever they take them up.
@Suite struct ChangesTests {
    private let changes = Changes()

    @Test func `the first that a new follower hears is that it knows nothing yet`() async {
        changes.tell(.host("a", removed: false))
        var heard = changes.follow(after: nil).makeAsyncIterator()
        #expect(await heard.next()?.what == .reset)
        changes.tell(.host("b", removed: false))
        #expect(await heard.next()?.what == .host("b", removed: false))
    }

    @Test func `who comes back hears what was missed, in order, and then what is new`() async throws {
        var first = changes.follow(after: nil).makeAsyncIterator()
        let seen = try #require(await first.next())
        for name in ["a", "b", "c"] { changes.tell(.host(name, removed: false)) }
        var again = changes.follow(after: seen.id).makeAsyncIterator()
        changes.tell(.host("d", removed: true))
        for name in ["a", "b", "c"] { #expect(await again.next()?.what == .host(name, removed: false)) }
        let last = try #require(await again.next())
        #expect(last.what == .host("d", removed: true))
        // Nothing was missed: the next is what comes next.
        var third = changes.follow(after: last.id).makeAsyncIterator()
        changes.tell(.host("e", removed: false))
        #expect(await third.next()?.what == .host("e", removed: false))
    }

    /// A thousand browsers that are closed while an operation runs.
    @Test(.timeLimit(.minutes(2))) func `who leaves while something is told holds nobody up`() async {
        for _ in 0..<50 {
            let followers = (0..<100).map { _ in
                Task { [changes] in for await _ in changes.follow(after: nil) {} }
            }
            let telling = Task { [changes] in
                for number in 0..<500 {
                    changes.tell(.host("h\(number)", removed: false))
                    if number.isMultiple(of: 10) { await Task.yield() }
                }
            }
            for follower in followers {
                await Task.yield()
                follower.cancel()
            }
            await telling.value
            for follower in followers { await follower.value }
        }
        changes.tell(.host("last", removed: false))
        #expect(changes.listeners == 0)
    }

    @Test func `who was away for longer than is kept is told to look anew`() async throws {
        var first = changes.follow(after: nil).makeAsyncIterator()
        let seen = try #require(await first.next())
        for number in 0..<Changes.kept { changes.tell(.host("h\(number)", removed: false)) }
        var inTime = changes.follow(after: seen.id).makeAsyncIterator()
        #expect(await inTime.next()?.what == .host("h0", removed: false))
        changes.tell(.host("last", removed: false))
        var late = changes.follow(after: seen.id).makeAsyncIterator()
        #expect(await late.next()?.what == .reset)
    }

    @Test(arguments: ["", "-", "x", "x-1", "-1", "\u{0}", String(repeating: "9", count: 10_000)])
    func `an id that is none of this life leads to a reset`(_ id: String) async {
        changes.tell(.host("a", removed: false))
        var heard = changes.follow(after: id).makeAsyncIterator()
        #expect(await heard.next()?.what == .reset)
    }

    @Test func `an id from the future, or of another daemon, leads to a reset`() async throws {
        var other = Changes().follow(after: nil).makeAsyncIterator()
        let foreign = try #require(await other.next())
        var own = changes.follow(after: nil).makeAsyncIterator()
        let life = try #require(await own.next()).id.prefix { $0 != "-" }
        for id in [foreign.id, "\(life)-1", "\(life)-18446744073709551615", "\(life)-", "\(life)-0x0", "\(life)--1"] {
            var heard = changes.follow(after: id).makeAsyncIterator()
            #expect(await heard.next()?.what == .reset, "\(id)")
        }
    }
}
