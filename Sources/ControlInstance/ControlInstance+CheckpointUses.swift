import Synchronization

extension ControlInstance {
    /// - Throws: `busy` while somebody makes or changes it.
    func begin(_ reading: CheckpointUses.Reading, _ place: CheckpointSet.Place) throws(ControlError) {
        if let holder = state.withLock({ $0.uses.begin(reading, place) }) {
            throw Self.busy(place, holder.rawValue)
        }
    }

    func end(_ reading: CheckpointUses.Reading, _ place: CheckpointSet.Place) {
        state.withLock { $0.uses.end(reading, place) }
    }

    /// - Throws: `busy` while somebody else needs, makes or changes it.
    func begin(_ taking: CheckpointUses.Taking, _ place: CheckpointSet.Place) throws(ControlError) {
        if let holder = state.withLock({ $0.uses.begin(taking, place) }) { throw Self.busy(place, holder) }
    }

    func endTaking(_ place: CheckpointSet.Place) { state.withLock { $0.uses.endTaking(place) } }

    private static func busy(_ place: CheckpointSet.Place, _ holder: String) -> ControlError {
        ControlError(
            code: "busy",
            message: "\(place.simulation)@\(place.name) is busy: it is being \(holder)",
            exitCode: 3
        )
    }
}
