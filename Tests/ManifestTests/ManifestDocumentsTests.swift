import Foundation
import Glibc
import HypervisorAPI
import Manifest
import Testing

/// The documents that are generated from the same source as the reading; `FERMATA_WRITE_DOCS=1` writes them.
struct ManifestDocumentsTests {
    static let docs = #filePath.split(separator: "/").dropLast(3).reduce("") { "\($0)/\($1)" } + "/docs"
    static let begin = "<!-- generated: keys -->\n"
    static let end = "<!-- end of keys -->\n"

    private var writes: Bool { getenv("FERMATA_WRITE_DOCS") != nil }

    private func read(_ path: String) throws -> String {
        String(decoding: try Data(contentsOf: URL(filePath: path)), as: UTF8.self)
    }

    @Test func theSchemaInTheDocumentsIsTheOneOfTheCode() throws {
        let path = "\(Self.docs)/manifest.schema.json"
        if writes { try Data(Manifest.jsonSchema.utf8).write(to: URL(filePath: path)) }
        #expect(try read(path) == Manifest.jsonSchema, "run the tests with FERMATA_WRITE_DOCS=1")
    }

    @Test func theTableOfKeysInTheDocumentsIsTheOneOfTheCode() throws {
        let path = "\(Self.docs)/manifest.md"
        let text = try read(path)
        let begin = try #require(text.range(of: Self.begin))
        let end = try #require(text.range(of: Self.end))
        if writes {
            let new = text[..<begin.upperBound] + "\n" + Manifest.keyTable + "\n" + text[end.lowerBound...]
            try Data(String(new).utf8).write(to: URL(filePath: path))
        }
        let table = try read(path)
        #expect(
            table.contains("\(Self.begin)\n\(Manifest.keyTable)\n\(Self.end)"),
            "run the tests with FERMATA_WRITE_DOCS=1"
        )
    }

    @Test func theSchemaIsJSONAndKnowsEveryKeyOfTheTable() throws {
        struct Schema: Decodable {
            struct Property: Decodable { var description: String }
            var type: String
            var properties: [String: Property]
            var required: [String]
            var additionalProperties: Bool
        }
        let schema = try JSONDecoder().decode(Schema.self, from: Data(Manifest.jsonSchema.utf8))
        #expect(schema.type == "object" && !schema.additionalProperties)
        #expect(schema.required == ["simulation", "machines"])
        #expect(
            schema.properties.keys.sorted() == [
                "clock", "clock-error", "hooks", "hosts", "links", "machines", "on", "quota", "resources", "simulation",
            ]
        )
    }

    /// The example in the documents is one that works.
    @Test func theExampleInTheDocumentsIsAccepted() throws {
        let text = try read("\(Self.docs)/manifest.md")
        let start = try #require(text.range(of: "```yaml\n"))
        let end = try #require(text[start.upperBound...].range(of: "```"))
        let lab = try Lab(files: ["base.qcow2", "vmlinuz", "initrd.img"])
        let spec = try lab.parse(String(text[start.upperBound..<end.lowerBound]))
        #expect(spec.machines.count == 2 && !spec.links.isEmpty && !spec.resources.isEmpty)
    }
}
