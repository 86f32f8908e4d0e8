package import Manifest

/// A machine that a step names, and which of its serial ports.
package struct Port: Hashable, Sendable {
    package var machine: String
    /// nil: the first that is no link.
    package var number: Int?
    /// Where the file names the machine.
    package var place: Place

    package init(machine: String, number: Int? = nil, place: Place) {
        self.machine = machine
        self.number = number
        self.place = place
    }

    /// `server`, or `server's port 1`.
    var words: String { number.map { "\(machine)'s port \($0)" } ?? machine }
}
