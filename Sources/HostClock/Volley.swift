/// The shots of one instant: they all leave, or none does.
public struct Volley: Hashable, Sendable {
    public var shots: [Shot]

    public init(_ shots: [Shot]) {
        self.shots = shots
    }
}
