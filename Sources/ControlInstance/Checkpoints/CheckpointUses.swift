/// Who needs a checkpoint as it is, for longer than a look, and who makes or changes one: any number of the first, or one of the second.
///
/// Operations on the checkpoint's own simulation need no entry here; that is claimed for them.
struct CheckpointUses {
    enum Reading: String {
        case cloned = "cloned"
        case exported = "exported"
    }

    enum Taking: String {
        case removed = "removed"
        case consumed = "resumed with --consume"
        case imported = "imported"
    }

    private var readings: [CheckpointSet.Place: [Reading]] = [:]
    private var takings: [CheckpointSet.Place: Taking] = [:]

    /// - Returns: nil when it has begun, otherwise what stands against it.
    mutating func begin(_ reading: Reading, _ place: CheckpointSet.Place) -> Taking? {
        if let taking = takings[place] { return taking }
        readings[place, default: []].append(reading)
        return nil
    }

    mutating func end(_ reading: Reading, _ place: CheckpointSet.Place) {
        guard let index = readings[place]?.firstIndex(of: reading) else { return }
        readings[place]?.remove(at: index)
        if readings[place]?.isEmpty == true { readings[place] = nil }
    }

    /// - Returns: nil when it has begun, otherwise the word for what stands against it.
    mutating func begin(_ taking: Taking, _ place: CheckpointSet.Place) -> String? {
        if let other = takings[place] { return other.rawValue }
        if let reading = readings[place]?.first { return reading.rawValue }
        takings[place] = taking
        return nil
    }

    mutating func endTaking(_ place: CheckpointSet.Place) { takings[place] = nil }
}
