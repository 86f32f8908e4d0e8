import Batch
import FoundationEssentials
import Glibc
import Manifest
import Testing

/// docs/batch.md; `FERMATA_WRITE_DOCS=1` writes its table of keys.
struct BatchDocumentsTests {
    private static let page =
        #filePath.split(separator: "/").dropLast(3).reduce("") { "\($0)/\($1)" } + "/docs/batch.md"

    private static func text() throws -> String {
        String(decoding: try Data(contentsOf: URL(filePath: page)), as: UTF8.self)
    }

    @Test func `the table of keys is the one of the code`() throws {
        let parts = try Self.text().components(between: "<!-- generated: keys -->\n", "<!-- end of keys -->")
        let (before, table, after) = try #require(parts)
        if getenv("FERMATA_WRITE_DOCS") != nil {
            let new = "\(before)\n\(Batch.keyTable)\n\(after)"
            try Data(new.utf8).write(to: URL(filePath: Self.page))
            return
        }
        #expect(table == "\n\(Batch.keyTable)\n", "run the tests with FERMATA_WRITE_DOCS=1")
    }

    @Test func `the files on the page are right`() throws {
        var rest = try Self.text()[...]
        var names: [String] = []
        while let begin = rest.firstRange(of: "```yaml\n") {
            rest = rest[begin.upperBound...]
            let end = try #require(rest.firstRange(of: "```"))
            let batch = try Batch.parse(
                text: String(rest[..<end.lowerBound]),
                file: "batch.md",
                folder: "/labs",
                environment: [:]
            ) { _ throws(ManifestError) in ["box"] }
            names.append(batch.name)
            if batch.name == "night" { #expect(batch.combinations.count == 24) }
            rest = rest[end.upperBound...]
        }
        #expect(names == ["new-year", "ask", "check", "night"])
    }
}

extension String {
    /// With the marks in the first and the last part.
    fileprivate func components(between begin: String, _ end: String) -> (String, String, String)? {
        guard let first = firstRange(of: begin), let last = self[first.upperBound...].firstRange(of: end) else {
            return nil
        }
        return (
            String(self[..<first.upperBound]), String(self[first.upperBound..<last.lowerBound]),
            String(self[last.lowerBound...])
        )
    }
}
