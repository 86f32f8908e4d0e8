package import Manifest
package import Time

/// One thing to be done, and where the file says so.
package struct Step: Hashable, Sendable {
    package var place: Place
    package var action: StepAction
    /// How long it may take; nil: as long as it takes.
    package var timeout: Span?

    package init(place: Place, action: StepAction, timeout: Span? = nil) {
        self.place = place
        self.action = action
        self.timeout = timeout
    }

    package var line: Int { place.line }
}
