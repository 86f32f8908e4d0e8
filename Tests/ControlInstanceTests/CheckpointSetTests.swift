import FoundationEssentials
import Glibc
import HypervisorAPI
import Testing
import Time

@testable import ControlInstance

struct CheckpointSetTests {
    static let manifest = CheckpointManifest(
        tool: "test",
        id: "id",
        simulation: "sim",
        name: "s1",
        operation: OperationID(text: "op"),
        created: HostInstant(nanosecondsSinceEpoch: 2),
        instant: HostInstant(nanosecondsSinceEpoch: 1),
        parent: nil,
        spec: Bench.spec,
        machines: [.sample("a"), .sample("b")],
        links: [
            LinkCheckpoint(
                link: "lan",
                towards: "a",
                file: .sample("links/lan-a.bin", role: .link),
                frameSizes: [3, 2]
            )
        ]
    )

    private func published(_ manifest: CheckpointManifest = manifest) throws -> (
        Bench, CheckpointSet, CheckpointSet.Place
    ) {
        let bench = try Bench()
        let set = try CheckpointSet(folder: "\(bench.home)/checkpoints")
        let place = set.place(of: manifest.name, simulation: manifest.simulation)
        try set.publish(manifest, at: place)
        return (bench, set, place)
    }

    /// Writes a manifest that says something else, with a digest that fits.
    private func rewrite(_ place: CheckpointSet.Place, _ change: (inout String) -> Void) throws {
        var text = String(decoding: try Data(contentsOf: URL(filePath: place.manifest)), as: UTF8.self)
        let before = text
        change(&text)
        #expect(text != before)
        try Data(text.utf8).write(to: URL(filePath: place.manifest))
        let line = "\(HexDigest.sha256(Array(text.utf8)))  checkpoint.json\n"
        try Data(line.utf8).write(to: URL(filePath: "\(place.final)/checkpoint.json.sha256"))
    }

    @Test func whatIsPublishedIsReadBack() throws {
        let (bench, set, place) = try published()
        defer { withExtendedLifetime(bench) {} }
        #expect(try set.load(place) == Self.manifest)
        #expect(bench.folders == ["s1"])
        #expect(try set.places().map(\.name) == ["s1"] && set.exists(place))
        #expect(Self.manifest.bytes == 15)
        let mode = try FileManager.default.attributesOfItem(atPath: place.final)[.posixPermissions] as? Int
        #expect(mode == 0o700, "RAM of guests is nobody else's")
    }

    @Test func itsDigestIsOneThatSha256sumKnows() throws {
        let (bench, _, place) = try published()
        defer { withExtendedLifetime(bench) {} }
        let pipe = popen("cd '\(place.final)' && sha256sum -c checkpoint.json.sha256 >/dev/null 2>&1", "r")
        let status = pclose(pipe)
        #expect(status == 0)
    }

    @Test func everyFlippedBitIsFound() throws {
        let (bench, set, place) = try published()
        defer { withExtendedLifetime(bench) {} }
        let whole = try Data(contentsOf: URL(filePath: place.manifest))
        for index in stride(from: 0, to: whole.count, by: 97) {
            var bytes = whole
            bytes[index] ^= UInt8(1 << (index % 8))
            try bytes.write(to: URL(filePath: place.manifest))
            let error = #expect(throws: ControlError.self) { try set.load(place) }
            #expect(error?.exitCode == 6)
        }
    }

    @Test func aTruncatedManifestIsFound() throws {
        let (bench, set, place) = try published()
        defer { withExtendedLifetime(bench) {} }
        let whole = try Data(contentsOf: URL(filePath: place.manifest))
        for count in [0, 1, whole.count / 2, whole.count - 1] {
            try whole.prefix(count).write(to: URL(filePath: place.manifest))
            #expect(throws: ControlError.self) { try set.load(place) }
            // Also when its digest fits.
            try rewrite(place) { $0 += " {" }
            #expect(throws: ControlError.self) { try set.load(place) }
        }
        try FileManager.default.removeItem(atPath: place.manifest)
        #expect(throws: ControlError.self) { try set.load(place) }
    }

    @Test func aNewerFormatIsRefusedAndUnknownKeysAreNot() throws {
        let (bench, set, place) = try published()
        defer { withExtendedLifetime(bench) {} }
        try rewrite(place) { $0.replaceFirst("\"format\" : 2", "\"format\" : 2, \"later\" : [1]") }
        #expect(try set.load(place) == Self.manifest)
        try rewrite(place) { $0.replaceFirst("\"format\" : 2", "\"format\" : 3") }
        let error = #expect(throws: ControlError.self) { try set.load(place) }
        #expect(error?.reasons.first?.code == "checkpoint-incompatible" && error?.exitCode == 6)
    }

    @Test(arguments: [
        ("machines/a/state.qemu", "../../etc/passwd"), ("machines/a/state.qemu", "/etc/passwd"),
        ("machines/a/state.qemu", "machines//state"), ("machines/a/state.qemu", "./state"),
        ("machines/a/state.qemu", ""), ("machines/a/state.qemu", "machines/b/state.qemu"),
        ("links/lan-a.bin", "links/../../x"), ("\"towards\" : \"a\"", "\"towards\" : \"z\""),
        ("\"name\" : \"a\",\n      \"ramWay\"", "\"name\" : \"../a\",\n      \"ramWay\""),
        ("\"simulation\" : \"sim\"", "\"simulation\" : \"other\""),
        ("\"simulation\" : \"sim\"", "\"simulation\" : \"../x\""),
        ("\"deviceStateOffset\" : 1", "\"deviceStateOffset\" : 6"), ("\"format\" : 2", "\"format\" : \"2\""),
        ("\"format\" : 2", "\"format\" : 0"), (String(repeating: "a", count: 64), "abc"),
        ("\"bytes\" : 5", "\"bytes\" : -5"),
        ("\"tool\"", "\"fool\""),
    ])
    func aManifestThatLiesIsCorrupt(_ old: String, _ new: String) throws {
        let (bench, set, place) = try published()
        defer { withExtendedLifetime(bench) {} }
        try rewrite(place) { $0.replaceFirst(old, new) }
        let error = #expect(throws: ControlError.self) { try set.load(place) }
        #expect(error?.exitCode == 6, "\(String(describing: error))")
    }

    @Test func disksMayLieOutsideButNotBySneaking() {
        var manifest = Self.manifest
        let disk = { (path: String) in
            FrozenDisk(id: "d", format: "raw", file: .sample(path, role: .disk), backingFiles: ["/base"])
        }
        manifest.machines[0].disks = [disk("/images/a.raw")]
        #expect(CheckpointSet.problems(of: manifest).isEmpty)
        #expect(manifest.bytes == 15, "what is not in the folder is not counted")
        manifest.machines[0].disks = [disk("/images/../etc/shadow")]
        #expect(CheckpointSet.problems(of: manifest).count == 1)
        manifest.machines[0].disks = [disk("../a.raw")]
        #expect(CheckpointSet.problems(of: manifest).count == 1)
    }

    @Test func aFolderThatCannotBeWrittenIsAnErrorAndNoCheckpoint() throws {
        let bench = try Bench()
        let set = try CheckpointSet(folder: "\(bench.home)/checkpoints")
        let place = set.place(of: "s1", simulation: "sim")
        // A file where a folder has to be.
        try Data().write(to: URL(filePath: "\(bench.home)/checkpoints/sim"))
        #expect(throws: ControlError.self) { try set.publish(Self.manifest, at: place) }
        #expect(throws: ControlError.self) { try CheckpointSet(folder: "\(bench.home)/checkpoints/sim/x") }
    }

    @Test func whatCannotBeListedIsAnErrorAndNotEmpty() throws {
        let (bench, set, place) = try published()
        defer { withExtendedLifetime(bench) {} }
        // A name that is longer than any folder's: nobody, not even root, can list it.
        let unreadable = "\(place.final)/" + String(repeating: "a", count: 300)
        for body in [{ _ = try DurableFolder.names(in: unreadable) }, { try DurableFolder.syncTree(unreadable) }] {
            let error = #expect(throws: ControlError.self) { try body() }
            #expect(error?.reasons.map(\.code) == ["file-failed"])
        }
        #expect(throws: ControlError.self) { try DurableFolder.syncTree("\(place.final)/checkpoint.json") }
        // A stray file beside the simulations is not one of them.
        try Data().write(to: URL(filePath: "\(bench.home)/checkpoints/stray"))
        #expect(try set.places().map(\.name) == ["s1"])
        try FileManager.default.removeItem(atPath: "\(bench.home)/checkpoints")
        #expect(throws: ControlError.self) { try set.places() }
    }

    @Test func whatIsRemovedIsGoneWholeOrNot() throws {
        let (bench, set, place) = try published()
        defer { withExtendedLifetime(bench) {} }
        try set.unpublish(place)
        #expect(bench.folders == ["s1.partial"] && set.exists(place))
        try set.remove(place)
        #expect(bench.folders.isEmpty)
        try set.remove(place)
    }
}

extension String {
    fileprivate mutating func replaceFirst(_ old: String, _ new: String) {
        guard let range = firstRange(of: old) else { return }
        replaceSubrange(range, with: new)
    }
}
