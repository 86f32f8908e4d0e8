extension BinaryInteger {
    /// The quotient rounded towards minus infinity, as a clock's whole seconds are; `divisor` is positive.
    func floorDivided(by divisor: Self) -> Self {
        let (quotient, remainder) = quotientAndRemainder(dividingBy: divisor)
        return remainder < 0 ? quotient - 1 : quotient
    }

    /// What ``floorDivided(by:)`` leaves: from 0 to `divisor` − 1.
    func modulo(_ divisor: Self) -> Self {
        let remainder = self % divisor
        return remainder < 0 ? remainder + divisor : remainder
    }
}

extension Int128 {
    static let second: Int128 = 1_000_000_000

    /// Of nanoseconds: the whole seconds.
    var wholeSeconds: Int128 { floorDivided(by: .second) }

    /// As a register of 64 bits keeps it: the low 64 bits, read with their sign.
    var wrapped64: Int128 { Int128(Int64(truncatingIfNeeded: self)) }
}
