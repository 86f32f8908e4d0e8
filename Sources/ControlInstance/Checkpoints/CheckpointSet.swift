import FoundationEssentials
import Glibc
import HypervisorAPI

/// The checkpoints on disk: `<folder>/<simulation>/<name>/checkpoint.json` and what lies beside it.
///
/// A checkpoint is made in `<name>.partial` and renamed to `<name>` when all of it is durable; so a folder without that
/// suffix is whole. No name of a checkpoint has a dot, so the two can never be mixed up.
struct CheckpointSet: Sendable {
    struct Place: Hashable, Sendable {
        var simulation: String
        var name: String
        /// Absolute.
        var final: String
        var partial: String

        var manifest: String { "\(final)/\(CheckpointSet.manifestName)" }
    }

    static let tool = "fermata 0.1"
    static let manifestName = "checkpoint.json"
    static let digestName = "checkpoint.json.sha256"
    /// A manifest of a thousand machines is about 10 MB; more is no manifest, and is not read into memory.
    static let sizeLimit = 64 << 20

    let folder: String

    /// - Throws: when the folder cannot be made.
    init(folder: String) throws(ControlError) {
        self.folder = folder
        try DurableFolder.create(folder)
    }

    func place(of name: String, simulation: String) -> Place {
        let final = "\(folder)/\(simulation)/\(name)"
        return Place(simulation: simulation, name: name, final: final, partial: final + ".partial")
    }

    /// Whether anything is there, whole or not.
    func exists(_ place: Place) -> Bool {
        DurableFolder.exists(place.final) || DurableFolder.exists(place.partial)
    }

    /// Whether it lies where whole checkpoints do.
    func isPublished(_ place: Place) -> Bool { DurableFolder.exists(place.final) }

    /// Makes the folder that hypervisors put theirs into.
    func makeParent(of place: Place) throws(ControlError) {
        try DurableFolder.create("\(folder)/\(place.simulation)")
    }

    /// Writes the manifest into the partial folder, makes the whole tree durable, and renames it into place.
    func publish(
        _ manifest: CheckpointManifest,
        _ annotations: Annotations = .none,
        at place: Place
    ) throws(ControlError) {
        let bytes = try Self.encode(manifest)
        // Machines without files of their own on this host would leave no folder.
        try DurableFolder.create(place.partial)
        try write(annotations, in: place.partial)
        let digest = HexDigest.sha256(bytes)
        try DurableFolder.write(
            Array("\(digest)  \(Self.manifestName)\n".utf8),
            to: "\(place.partial)/\(Self.digestName)"
        )
        try DurableFolder.write(bytes, to: "\(place.partial)/\(Self.manifestName)")
        try DurableFolder.syncTree(place.partial)
        try DurableFolder.rename(place.partial, to: place.final)
    }

    /// - Throws: `checkpoint-corrupt` when a file of it is not in the folder, with its size.
    func refuseUnlessComplete(_ manifest: CheckpointManifest, in folder: String) throws(ControlError) {
        for file in manifest.files where !file.path.hasPrefix("/") {
            var status = stat()
            guard lstat("\(folder)/\(file.path)", &status) == 0, status.st_mode & S_IFMT == S_IFREG,
                UInt64(clamping: status.st_size) == file.bytes
            else {
                throw Self.corrupt("\(manifest.simulation)@\(manifest.name)", "\(file.path) is not in it any more")
            }
        }
    }

    static func encode(_ value: some Encodable) throws(ControlError) -> [UInt8] {
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.sortedKeys, .prettyPrinted, .withoutEscapingSlashes]
        do {
            return Array(try encoder.encode(value)) + [UInt8(ascii: "\n")]
        } catch {
            throw ControlError(code: "internal", message: "a checkpoint's file cannot be encoded: \(error)")
        }
    }

    /// Takes a checkpoint out of its place; what is left is cleared away like one that never became whole.
    func unpublish(_ place: Place) throws(ControlError) {
        guard DurableFolder.exists(place.final) else { return }
        try DurableFolder.remove(place.partial)
        try DurableFolder.rename(place.final, to: place.partial)
    }

    /// Takes a place for something that comes from outside; nobody else can have it then.
    func reserve(_ place: Place) throws(ControlError) {
        try makeParent(of: place)
        try DurableFolder.create(place.partial)
    }

    /// Leaves nothing of what was to come, a folder of its simulation that holds nothing else included.
    func abandon(_ place: Place) {
        try? DurableFolder.remove(place.partial)
        rmdir("\(folder)/\(place.simulation)")
    }

    func remove(_ place: Place) throws(ControlError) {
        try DurableFolder.remove(place.partial)
        try DurableFolder.remove(place.final)
    }

    /// Reads and checks a manifest, and the digests of its seal if it has one: its own digest, its format, and that nothing in it points out of where it may.
    /// - Throws: `checkpoint-corrupt` or `checkpoint-incompatible` (exit code 6).
    func load(_ place: Place) throws(ControlError) -> CheckpointManifest {
        let title = "\(place.simulation)@\(place.name)"
        let bytes = try read(place.manifest, of: title)
        let digest = String(
            decoding: try read("\(place.final)/\(Self.digestName)", of: title).prefix(64),
            as: UTF8.self
        )
        guard digest == HexDigest.sha256(bytes) else {
            throw Self.corrupt(title, "\(Self.manifestName) is not what its digest in \(Self.digestName) says")
        }
        let manifest = try Self.decode(bytes, title: title)
        guard manifest.simulation == place.simulation, manifest.name == place.name else {
            throw Self.corrupt(title, "its manifest calls it \(manifest.simulation)@\(manifest.name)")
        }
        return try seal(of: manifest, at: place).map { manifest.sealed(by: $0) } ?? manifest
    }

    /// All folders of checkpoints, whole and partial.
    /// - Throws: when a folder cannot be listed.
    func places() throws(ControlError) -> [Place] {
        var places: [Place] = []
        for simulation in try DurableFolder.names(in: folder)
        where Name.isValid(simulation) && DurableFolder.isFolder("\(folder)/\(simulation)") {
            let names = try DurableFolder.names(in: "\(folder)/\(simulation)").map { name in
                name.hasSuffix(".partial") ? String(name.dropLast(".partial".count)) : name
            }
            places += Set(names.filter(Name.isValid)).sorted().map { place(of: $0, simulation: simulation) }
        }
        return places
    }

    func read(_ path: String, of title: String) throws(ControlError) -> [UInt8] {
        do throws(ControlError) {
            return try DurableFolder.read(path, limit: Self.sizeLimit)
        } catch {
            throw Self.corrupt(title, error.description)
        }
    }

    static func corrupt(_ title: String, _ why: String) -> ControlError {
        ControlError(code: "checkpoint-corrupt", message: "checkpoint \(title) is corrupt: \(why)")
    }
}
