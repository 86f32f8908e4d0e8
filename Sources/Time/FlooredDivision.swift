extension BinaryInteger {
    /// The quotient rounded towards minus infinity, as times before the epoch need it; `divisor` is positive.
    public func floorDivided(by divisor: Self) -> Self {
        let (quotient, remainder) = quotientAndRemainder(dividingBy: divisor)
        return remainder < 0 ? quotient - 1 : quotient
    }

    /// What ``floorDivided(by:)`` leaves: from 0 to `divisor` − 1.
    public func modulo(_ divisor: Self) -> Self {
        let remainder = self % divisor
        return remainder < 0 ? remainder + divisor : remainder
    }
}
