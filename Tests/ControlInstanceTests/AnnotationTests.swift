import FoundationEssentials
import HypervisorAPI
import Testing

@testable import ControlInstance

/// Labels and notes, which are said of a checkpoint and never change it.
struct AnnotationTests {
    private func labelled(_ bench: Bench) async throws -> ControlInstance {
        let control = try bench.control()
        try await bench.up(control)
        let annotations = Annotations(labels: ["stage": "login", "keep": ""], note: "before the upgrade")
        let request = SaveRequest(simulation: "sim", checkpoint: "s1", annotations: annotations)
        #expect(try await control.result(of: control.checkpoint(request)).outcome == .done)
        #expect(try await bench.suspend(control, as: "s2").outcome == .done)
        return control
    }

    private func path(_ bench: Bench, _ name: String = "s1") -> String {
        "\(bench.home)/checkpoints/sim/\(name)/labels.json"
    }

    private func refusal(_ body: () async throws -> Void) async -> ControlError? {
        await #expect(throws: ControlError.self) { try await body() }
    }

    @Test func theyAreSaidWithTheSaveAndChangedLater() async throws {
        let bench = try Bench()
        let control = try await labelled(bench)
        let manifest = try Data(contentsOf: URL(filePath: "\(bench.home)/checkpoints/sim/s1/checkpoint.json"))
        let first = try await control.show("sim", "s1").summary
        #expect(first.labels == ["stage": "login", "keep": ""] && first.note == "before the upgrade")
        #expect(!DurableFolder.exists(path(bench, "s2")))
        let change: [String: String?] = ["stage": "done", "keep": nil, "tried/by": "me"]
        let changed = try await control.annotate(
            AnnotateRequest(simulation: "sim", checkpoint: "s1", labels: change)
        )
        #expect(changed.labels == ["stage": "done", "tried/by": "me"] && changed.note == "before the upgrade")
        #expect(try await control.log("sim").first?.labels == changed.labels)
        let noted = try await control.annotate(AnnotateRequest(simulation: "sim", checkpoint: "s2", note: "after"))
        #expect(noted.note == "after" && noted.labels.isEmpty)
        let empty = try await control.annotate(AnnotateRequest(simulation: "sim", checkpoint: "s2", note: ""))
        #expect(empty.note == nil && !DurableFolder.exists(path(bench, "s2")))
        let now = try Data(contentsOf: URL(filePath: "\(bench.home)/checkpoints/sim/s1/checkpoint.json"))
        #expect(now == manifest)
    }

    @Test func checkpointsAreFoundByThem() async throws {
        let bench = try Bench()
        let control = try await labelled(bench)
        for (filter, names) in [
            ("stage", ["s1"]), ("stage=login", ["s1"]), ("keep=", ["s1"]), ("stage=other", []), ("none", []),
        ] as [(String, [String])] {
            #expect(try await control.log("sim", label: LabelFilter(filter)).map(\.checkpoint) == names, "\(filter)")
        }
    }

    /// The database is an index; without it, or when it is behind, the folders tell.
    @Test func theFoldersAreTheTruth() async throws {
        let bench = try Bench()
        let control = try await labelled(bench)
        let found = try bench.control(store: SQLiteStore(path: "\(bench.home)/new.sqlite"))
        _ = await found.recover()
        #expect(try await found.log("sim").map(\.note) == ["before the upgrade", nil])
        try DurableFolder.write(Array(#"{"labels":{"by":"hand"}}"#.utf8), to: path(bench))
        #expect(await (try bench.control()).recover().problems.isEmpty)
        #expect(try await control.log("sim").map(\.labels) == [["by": "hand"], [:]])
        try DurableFolder.write(Array("{".utf8), to: path(bench))
        #expect(await (try bench.control()).recover().problems.map(\.code) == ["labels-unreadable"])
        #expect(try await control.log("sim").map(\.labels) == [["by": "hand"], [:]])
        #expect(try await control.annotate(AnnotateRequest(simulation: "sim", checkpoint: "s1", note: "n")).note == "n")
        #expect(await (try bench.control()).recover().problems.isEmpty)
    }

    @Test func whatIsNoLabelOrNoteIsRefused() async throws {
        let bench = try Bench()
        let control = try await labelled(bench)
        let many = Dictionary(uniqueKeysWithValues: (0...64).map { ("k\($0)", Optional("")) })
        let cases: [([String: String?], String?, String)] = [
            (["": "a"], nil, "label-invalid"), (["A": "a"], nil, "label-invalid"), (["a-": "a"], nil, "label-invalid"),
            ([String(repeating: "k", count: 64): "a"], nil, "label-invalid"), (["a": "b\nc"], nil, "label-invalid"),
            (["a": String(repeating: "v", count: 256)], nil, "label-invalid"), (many, nil, "label-invalid"),
            ([:], String(repeating: "n", count: 4097), "note-invalid"), ([:], "a\0b", "note-invalid"),
        ]
        for (labels, note, code) in cases {
            let request = AnnotateRequest(simulation: "sim", checkpoint: "s1", labels: labels, note: note)
            let error = await refusal { _ = try await control.annotate(request) }
            #expect(error?.reasons.map(\.code) == [code] && error?.exitCode == 2, "\(labels) \(note ?? "")")
        }
        _ = try await bench.resume(control)
        let save = SaveRequest(simulation: "sim", annotations: Annotations(labels: ["A": ""]))
        #expect(await refusal { _ = try await control.suspend(save) }?.reasons.map(\.code) == ["label-invalid"])
        #expect(try await control.log("sim").map(\.labels) == [["stage": "login", "keep": ""], [:]])
    }
}
