import FoundationEssentials

/// `labels.json` in a checkpoint's folder: beside the manifest, which never changes.
extension CheckpointSet {
    static let annotationsName = "labels.json"
    private static let annotationsLimit = 1 << 20

    /// - Parameter folder: of a checkpoint, whole or not yet.
    func write(_ annotations: Annotations, in folder: String) throws(ControlError) {
        let path = "\(folder)/\(Self.annotationsName)"
        guard annotations != .none else { return try DurableFolder.remove(path) }
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.sortedKeys, .prettyPrinted, .withoutEscapingSlashes]
        let bytes: [UInt8]
        do {
            bytes = Array(try encoder.encode(annotations)) + [UInt8(ascii: "\n")]
        } catch {
            throw ControlError(code: "internal", message: "labels cannot be encoded: \(error)")
        }
        // No name in a checkpoint ends like this one.
        try DurableFolder.write(bytes, to: path + ".new")
        try DurableFolder.rename(path + ".new", to: path)
    }

    /// Of a checkpoint without the file: none.
    func annotations(of place: Place) throws(ControlError) -> Annotations {
        let path = "\(place.final)/\(Self.annotationsName)"
        guard DurableFolder.exists(path) else { return .none }
        do {
            let bytes = try DurableFolder.read(path, limit: Self.annotationsLimit)
            let annotations = try JSONDecoder().decode(Annotations.self, from: Data(bytes))
            try annotations.check()
            return annotations
        } catch {
            throw ControlError(code: "labels-unreadable", message: "\(path) cannot be read: \(error)")
        }
    }
}
