/// A parameter of a statement. Statements are constants; everything that varies is one of these.
public enum PostgreSQLValue: Hashable, Sendable {
    case text(String?)
    case integer(Int64?)
    case boolean(Bool)
    case integers([Int64])

    /// The type as the server's catalogue numbers it.
    var type: UInt32 {
        switch self {
        case .text: 25
        case .integer: 20
        case .boolean: 16
        case .integers: 1016
        }
    }

    var encoded: String? {
        switch self {
        case .text(let text): text
        case .integer(let number): number.map(String.init)
        case .boolean(let flag): flag ? "t" : "f"
        case .integers(let numbers): "{\(numbers.map(String.init).joined(separator: ","))}"
        }
    }
}
