import FoundationEssentials
import HypervisorAPI

extension CheckpointSet {
    static let sealName = "seal.json"
    static let sealDigestName = "seal.json.sha256"

    func isSealed(_ place: Place) -> Bool { DurableFolder.exists("\(place.final)/\(Self.sealName)") }

    /// Whether its machines went on with its own RAM, so that nobody can go on from it any more.
    func isConsumed(_ manifest: CheckpointManifest, at place: Place) -> Bool {
        manifest.machines.compactMap(\.ram).contains {
            DurableFolder.exists("\(place.final)/\($0.path).taken", followed: false)
        }
    }

    /// Its digest first: the seal is there only when it can be checked.
    func write(_ seal: CheckpointSeal, at place: Place) throws(ControlError) {
        let bytes = try Self.encode(seal)
        try DurableFolder.write(
            Array("\(HexDigest.sha256(bytes))  \(Self.sealName)\n".utf8),
            to: "\(place.final)/\(Self.sealDigestName)"
        )
        let temporary = "\(place.final)/\(Self.sealName).new"
        try DurableFolder.write(bytes, to: temporary)
        try DurableFolder.rename(temporary, to: "\(place.final)/\(Self.sealName)")
    }

    /// - Returns: nil when there is none yet.
    /// - Throws: `checkpoint-corrupt` when it is not what its digest says, of another checkpoint, or does not tell of every file.
    func seal(of manifest: CheckpointManifest, at place: Place) throws(ControlError) -> CheckpointSeal? {
        guard isSealed(place) else { return nil }
        let title = "\(place.simulation)@\(place.name)"
        let bytes = try read("\(place.final)/\(Self.sealName)", of: title)
        let digest = try read("\(place.final)/\(Self.sealDigestName)", of: title).prefix(64)
        guard String(decoding: digest, as: UTF8.self) == HexDigest.sha256(bytes) else {
            throw Self.corrupt(title, "\(Self.sealName) is not what its digest in \(Self.sealDigestName) says")
        }
        let seal: CheckpointSeal
        do {
            seal = try JSONDecoder().decode(CheckpointSeal.self, from: Data(bytes))
        } catch {
            throw Self.corrupt(title, "its \(Self.sealName) cannot be read: \(Self.describe(error))")
        }
        guard (1...CheckpointSeal.currentFormat).contains(seal.format) else {
            throw ControlError(
                code: "checkpoint-incompatible",
                message:
                    "\(Self.sealName) of checkpoint \(title) is of format \(seal.format); this release reads up to "
                    + "\(CheckpointSeal.currentFormat): use a newer one"
            )
        }
        guard seal.id == manifest.id, seal.files.allSatisfy({ $0.sha256.map(Self.isDigest) ?? false }),
            manifest.sealed(by: seal).files.allSatisfy({ $0.sha256 != nil })
        else {
            throw Self.corrupt(title, "its \(Self.sealName) is of another checkpoint, or does not tell of every file")
        }
        return seal
    }
}
