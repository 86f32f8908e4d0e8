import Yams

/// Where something stands in the manifest, from 1.
package struct Place: Hashable, Comparable, Sendable {
    package var line: Int
    package var column: Int

    package init(line: Int, column: Int) {
        self.line = line
        self.column = column
    }

    package static func < (left: Place, right: Place) -> Bool { (left.line, left.column) < (right.line, right.column) }
}

/// A value of the YAML tree and where it stands.
package struct Item {
    var node: Node
    package var place: Place

    /// - Parameter parent: for a node that does not know its own place.
    init(_ node: Node, under parent: Place) {
        self.node = node
        place = node.mark.map { Place(line: $0.line, column: $0.column) } ?? parent
    }
}
