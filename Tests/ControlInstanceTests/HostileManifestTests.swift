import FoundationEssentials
import HypervisorAPI
import Testing

@testable import ControlInstance

/// Archives that are whole, of manifests that nobody should believe.
struct HostileManifestTests {
    /// Each a manifest that a good one becomes, and files that are in the archive.
    private static let all: [(what: String, change: @Sendable (inout CheckpointManifest) -> Void)] = [
        ("a file outside", { $0.machines[0].state.path = "../evil" }),
        ("an absolute file", { $0.machines[0].state.path = "/tmp/evil" }),
        ("a file in no place of a checkpoint's", { $0.machines[0].state.path = "evil" }),
        ("the manifest as a file", { $0.machines[0].state.path = "checkpoint.json" }),
        ("the same file twice", { $0.machines[1].state.path = $0.machines[0].state.path }),
        ("a file without a digest", { $0.machines[0].state.sha256 = nil }),
        ("a digest that is none", { $0.machines[0].state.sha256 = "abc" }),
        ("a wrong digest", { $0.machines[0].state.sha256 = String(repeating: "0", count: 64) }),
        ("a wrong size", { $0.machines[0].state.bytes = 6 }),
        ("a huge size", { $0.machines[0].state.bytes = .max }),
        ("a file that does not come", { $0.machines[0].state.path = "machines/a/other" }),
        ("no machines", { $0.machines = [] }), ("one machine less", { $0.machines.removeLast() }),
        ("a machine of no name", { $0.machines[0].name = "../x" }),
        ("a machine that starts as another", { $0.machines[0].launch.spec.name = "../../../x" }),
        ("a machine that starts as its neighbour", { $0.machines[0].launch.spec.name = "b" }),
        ("a spec with a name that leads out", { $0.spec.machines[0].name = "../x" }),
        (
            "a resource of no name",
            { $0.spec.resources = [ResourceSpec(name: "../x", acquire: ["true"], release: ["true"])] }
        ),
        ("another simulation", { $0.simulation = "other" }), ("another name", { $0.name = "s2" }),
        ("another id", { $0.id = "other" }), ("another spec", { $0.spec.name = "other" }),
        ("a spec without its machines", { $0.spec.machines = [] }),
        (
            "a disk on images of another host",
            { manifest in
                manifest.machines[0].disks = [
                    FrozenDisk(
                        id: "root",
                        format: "qcow2",
                        file: CheckpointFile(
                            role: .disk,
                            path: "machines/a/disk",
                            bytes: 4,
                            sha256: HexDigest.sha256(Array("disk".utf8))
                        ),
                        backingFiles: ["/etc/passwd"]
                    )
                ]
            }
        ),
        (
            "a disk that lies outside",
            { manifest in
                manifest.machines[0].disks = [
                    FrozenDisk(
                        id: "root",
                        format: "raw",
                        file: CheckpointFile(
                            role: .disk,
                            path: "/etc/passwd",
                            bytes: 4,
                            sha256: HexDigest.sha256(Array("disk".utf8))
                        ),
                        backingFiles: []
                    )
                ]
            }
        ),
        (
            "a launch file outside",
            { manifest in
                manifest.machines[0].launchFiles = [
                    LaunchFile(original: "/boot/vmlinuz", file: .sample("../vmlinuz", role: .launch))
                ]
            }
        ),
    ]

    private static func good() -> (CheckpointManifest, [String: [UInt8]]) {
        var manifest = CheckpointSetTests.manifest
        manifest.links = []
        manifest.spec.name = "sim"
        var files: [String: [UInt8]] = [:]
        for index in manifest.machines.indices {
            let bytes = Array("state".utf8)
            manifest.machines[index].state.sha256 = HexDigest.sha256(bytes)
            files[manifest.machines[index].state.path] = bytes
        }
        return (manifest, files)
    }

    @Test func `a manifest that contradicts itself or its archive is refused, and leaves nothing`() async throws {
        let (good, files) = Self.good()
        let bench = try Bench()
        let control = try bench.control()
        for hostile in Self.all {
            var manifest = good
            hostile.change(&manifest)
            let bytes = try await Transfer.archive(of: manifest, files: files)
            let error = await #expect(throws: ControlError.self, "\(hostile.what)") {
                try await Transfer.take(bytes, control)
            }
            #expect(error?.exitCode == 6, "\(hostile.what): \(String(describing: error))")
            #expect(bench.arrived.isEmpty, "\(hostile.what)")
            #expect(try await control.simulations().isEmpty, "\(hostile.what)")
        }
        for (text, code) in [
            ("{\"format\": 99}", "checkpoint-incompatible"), ("no JSON", "checkpoint-corrupt"),
            ("", "checkpoint-corrupt"),
        ] {
            let bytes = try await Transfer.archive(of: good, as: Array(text.utf8), files: files)
            let error = await #expect(throws: ControlError.self) { try await Transfer.take(bytes, control) }
            #expect(error?.exitCode == 6 && error?.reasons.map(\.code) == [code], "\(text)")
            #expect(bench.arrived.isEmpty)
        }
        _ = try await Transfer.take(try await Transfer.archive(of: good, files: files), control)
        #expect(bench.folders == ["s1"], "and the one that all were made from is taken")
    }
}
