import FoundationEssentials

/// An answer, both as the daemon wrote it (what `--json` prints, with fields that this client may not know) and decoded.
struct Received<Value: Decodable> {
    let value: Value
    let json: Data

    init(_ json: Data) throws {
        self.json = json
        do {
            value = try JSONDecoder().decode(Value.self, from: json)
        } catch {
            throw CommandFailure(
                .failed,
                code: "answer-not-understood",
                "the daemon's answer is not understood (\(error)): it may be of another version; end it with "
                    + "'fermata serve --stop' and repeat (machines go on running meanwhile)"
            )
        }
    }
}

extension Received: Sendable where Value: Sendable {}
