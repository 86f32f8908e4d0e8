import Manifest

/// What machines begin with.
package enum Source: Hashable, Sendable, CustomStringConvertible {
    /// An absolute path.
    case lab(String)
    /// nil: the checkpoint that it is suspended to.
    case checkpoint(simulation: String, String?)
    /// What `prepare` has left.
    case prepared

    static let preparedWord = "prepared"

    package var description: String {
        switch self {
        case .lab(let path): path
        case .checkpoint(let simulation, let name): name.map { "\(simulation)@\($0)" } ?? simulation
        case .prepared: "what was prepared"
        }
    }

    /// `SIM`, `SIM@NAME`, `prepared`, else the path of a lab file; no name has a dot or a slash.
    init(_ text: String, from folder: String) {
        let parts = text.split(separator: "@", maxSplits: 1, omittingEmptySubsequences: false).map { String($0) }
        if text == Self.preparedWord {
            self = .prepared
        } else if parts.allSatisfy({ ValueType<String>.isName($0) }) {
            self = .checkpoint(simulation: parts[0], parts.count == 2 ? parts[1] : nil)
        } else {
            self = .lab(Paths.absolute(text, from: folder))
        }
    }
}
