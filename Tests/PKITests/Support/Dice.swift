/// Numbers that look random and are the same in each run (SplitMix64).
struct Dice: RandomNumberGenerator {
    private var state: UInt64

    init(seed: UInt64) { state = seed }

    mutating func next() -> UInt64 {
        state &+= 0x9e37_79b9_7f4a_7c15
        var mixed = state
        mixed = (mixed ^ (mixed >> 30)) &* 0xbf58_476d_1ce4_e5b9
        mixed = (mixed ^ (mixed >> 27)) &* 0x94d0_49bb_1331_11eb
        return mixed ^ (mixed >> 31)
    }

    /// One to four bytes are other ones, a piece is gone or there twice.
    mutating func mutate(_ bytes: [UInt8]) -> [UInt8] {
        var result = bytes
        switch Int.random(in: 0..<8, using: &self) {
        case 0:
            let start = Int.random(in: 0..<result.count, using: &self)
            result.removeSubrange(start..<min(result.count, start + Int.random(in: 1...8, using: &self)))
        case 1:
            let start = Int.random(in: 0..<result.count, using: &self)
            let piece = result[start..<min(result.count, start + Int.random(in: 1...8, using: &self))]
            result.insert(contentsOf: Array(piece), at: start)
        default:
            for _ in 0..<Int.random(in: 1...4, using: &self) {
                result[Int.random(in: 0..<result.count, using: &self)] ^= UInt8.random(in: 1 ... .max, using: &self)
            }
        }
        return result
    }
}
