import Time

extension Int128 {
    static let second: Int128 = 1_000_000_000

    /// Of nanoseconds: the whole seconds.
    var wholeSeconds: Int128 { floorDivided(by: .second) }

    /// As a register of 64 bits keeps it: the low 64 bits, read with their sign.
    var wrapped64: Int128 { Int128(Int64(truncatingIfNeeded: self)) }
}
