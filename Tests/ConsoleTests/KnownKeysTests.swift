import HypervisorAPI
import Testing

@testable import Console

/// Whose keys are forgotten when there are too many.
@Suite struct KnownKeysTests {
    private static func request(_ key: String, _ sender: String?) -> KeyedRequest {
        KeyedRequest(key: key, sender: sender, request: "r", operation: OperationID(text: "o-\(key)"))
    }

    @Test func `who sends many forgets his own, and nobody else's`() {
        var known = KnownKeys(limit: 10)
        for number in 0..<3 { known.add(Self.request("quiet\(number)", "quiet")) }
        known.add(Self.request("old", nil))
        for number in 0..<1000 { known.add(Self.request("loud\(number)", "loud")) }
        #expect(known.count == 10)
        #expect((0..<3).allSatisfy { known["quiet\($0)"] != nil } && known["old"] != nil)
        #expect((0..<1000).filter { known["loud\($0)"] != nil } == Array(994..<1000))
        // Two that send as many share what there is.
        for number in 0..<1000 { known.add(Self.request("second\(number)", "second")) }
        #expect((0..<3).allSatisfy { known["quiet\($0)"] != nil } && known["second999"] != nil)
        #expect(known["loud999"] != nil && known.count == 10)
    }

    @Test func `a key that is there stays what it is`() {
        var known = KnownKeys(limit: 10)
        known.add(Self.request("k", "a"))
        known.add(KeyedRequest(key: "k", sender: "b", request: "other", operation: OperationID(text: "x")))
        #expect(known.count == 1 && known["k"]?.request == "r")
    }

    @Test func `what is told in order comes to the same again`() {
        var random = Xorshift(state: 7)
        var known = KnownKeys(limit: 50)
        for number in 0..<2000 { known.add(Self.request("k\(number)", "s\(random.next() % 7)")) }
        var again = KnownKeys(limit: 50)
        for request in known.all { again.add(request) }
        #expect(again.all == known.all && again.count == 50)
        for number in 2000..<2500 {
            let request = Self.request("k\(number)", "s\(random.next() % 7)")
            known.add(request)
            again.add(request)
        }
        #expect(again.all == known.all)
    }
}
