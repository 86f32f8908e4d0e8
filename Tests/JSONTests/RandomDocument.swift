import JSON

/// Random values with what is hard about JSON in them: deep nesting, equal names, escapes, long UTF-8, edges of numbers.
struct RandomDocument {
    var generator: SeededGenerator

    mutating func value(depth: Int = 5) -> JSONValue {
        switch Int.random(in: 0..<(depth > 0 ? 10 : 7), using: &generator) {
        case 0: .null
        case 1: .bool(.random(using: &generator))
        case 2: .integer(integer())
        case 3: JSONValue(UInt64.random(in: 0 ... .max, using: &generator))
        case 4: .double(double())
        case 5, 6: .string(text())
        case 7: .array((0..<count()).map { _ in value(depth: depth - 1) })
        default: .object(JSONObject((0..<count()).map { _ in (key(), value(depth: depth - 1)) }))
        }
    }

    private mutating func count() -> Int { Int.random(in: 0...5, using: &generator) }

    private mutating func integer() -> Int64 {
        let edges: [Int64] = [.min, .max, 0, -1, 1, .max - 1, .min + 1]
        return Bool.random(using: &generator)
            ? edges.randomElement(using: &generator) ?? 0
            : Int64.random(in: .min ... .max, using: &generator)
    }

    private mutating func double() -> Double {
        let pattern = Double(bitPattern: UInt64.random(in: 0 ... .max, using: &generator))
        return pattern.isFinite ? pattern : 0.1
    }

    private mutating func key() -> String {
        // Few names, so that several members share one.
        let names = ["a", "b", "name", "1:a", ":", "", "\u{1F600}", "\"\\\n"]
        return names.randomElement(using: &generator) ?? ""
    }

    private mutating func text() -> String {
        let parts = [
            "a", "\"", "\\", "/", "\n", "\u{0}", "\u{1F}", "é", "€", "\u{1F600}", "\u{10FFFF}", "\u{FEFF}", "é",
        ]
        return (0..<Int.random(in: 0...12, using: &generator))
            .map { _ in parts.randomElement(using: &generator) ?? "" }.joined()
    }
}
