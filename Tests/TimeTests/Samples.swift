/// A generator whose failures can be repeated (SplitMix64).
struct SeededGenerator: RandomNumberGenerator {
    private var state: UInt64

    init(seed: UInt64) {
        state = seed
    }

    mutating func next() -> UInt64 {
        state &+= 0x9E37_79B9_7F4A_7C15
        var mixed = state
        mixed = (mixed ^ (mixed >> 30)) &* 0xBF58_476D_1CE4_E5B9
        mixed = (mixed ^ (mixed >> 27)) &* 0x94D0_49BB_1331_11EB
        return mixed ^ (mixed >> 31)
    }
}

/// The ends of the range, every power of two and ten with its neighbours, and random values of every magnitude.
func int64Samples() -> [Int64] {
    var samples: [Int64] = [.min, .min + 1, .max, .max - 1, 0]
    var generator = SeededGenerator(seed: 1)
    for shift in 0..<63 {
        let power = Int64(1) << Int64(shift)
        samples += [power, power - 1, -power, -power - 1]
        for _ in 0..<100 { samples.append(Int64.random(in: .min ... .max, using: &generator) >> Int64(shift)) }
    }
    var power: Int64 = 1
    for _ in 0..<18 {
        power *= 10
        samples += [power, power - 1, power + 1, -power]
    }
    for _ in 0..<500 {
        let midnight = Int64.random(in: -106_751...106_751, using: &generator) * 86_400_000_000_000
        samples += [midnight, midnight - 1]
    }
    return samples
}

func noise(
    _ alphabet: [Unicode.Scalar],
    upTo length: Int,
    using generator: inout SeededGenerator
) -> String {
    let count = Int.random(in: 0...length, using: &generator)
    var text = String.UnicodeScalarView()
    for _ in 0..<count { text.append(alphabet.randomElement(using: &generator) ?? "0") }
    return String(text)
}
