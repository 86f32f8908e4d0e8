import FoundationEssentials
import Testing

/// docs/errors.md lists every code that the program can give.
@Suite struct ErrorCodeTests {
    private static let root = URL(filePath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
        .deletingLastPathComponent()

    @Test func `every code in the sources is in docs/errors.md`() throws {
        let documented = try Self.documented()
        let used = try Self.used()
        #expect(used.count > 50, "the sources are not where this test looks for them")
        #expect(used.subtracting(documented).isEmpty, "not documented: \(used.subtracting(documented).sorted())")
    }

    /// First column of the tables.
    private static func documented() throws -> Set<String> {
        let text = try String(contentsOf: root.appending(path: "docs/errors.md"), encoding: .utf8)
        let cells = text.split(separator: "\n").compactMap { line in
            line.hasPrefix("| `") ? line.dropFirst(3).prefix { $0 != "`" } : nil
        }
        return Set(cells.map { String($0) })
    }

    private static func used() throws -> Set<String> {
        let sources = root.appending(path: "Sources").resolvingSymlinksInPath().path
        var codes: Set<String> = []
        let literal = /code: "([a-z]+(?:-[a-z]+)*)"/
        for case let name in try FileManager.default.subpathsOfDirectory(atPath: sources) where name.hasSuffix(".swift")
        {
            let text = try String(contentsOfFile: "\(sources)/\(name)", encoding: .utf8)
            for match in text.matches(of: literal) { codes.insert(String(match.1)) }
        }
        return codes
    }
}
