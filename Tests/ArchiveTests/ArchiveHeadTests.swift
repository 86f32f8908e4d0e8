import FoundationEssentials
import Testing

@testable import Archive

@Suite struct ArchiveHeadTests {
    @Test func `what is written is read again`() throws {
        let head = ArchiveHead(
            tool: "test",
            simulation: "lab",
            checkpoint: "s1",
            id: "id",
            files: 3,
            bytes: 10,
            dataBytes: 5
        )
        #expect(try ArchiveHead(parsing: Array(try JSONEncoder().encode(head))) == head)
    }

    @Test func `keys of a later release are ignored`() throws {
        let text = String(decoding: HostileArchive.head(), as: UTF8.self).replacing("{", with: "{\"mood\": \"good\", ")
        #expect(try ArchiveHead(parsing: Array(text.utf8)).simulation == "lab")
    }

    @Test(arguments: ["archive", "format", "tool", "simulation", "checkpoint", "id", "files", "bytes", "dataBytes"])
    func `a head without one of its keys is none`(_ key: String) throws {
        let text = String(decoding: HostileArchive.head(), as: UTF8.self).replacing("\"\(key)\"", with: "\"other\"")
        #expect(throws: ArchiveError.self) { try ArchiveHead(parsing: Array(text.utf8)) }
    }

    @Test func `sizes that cannot be are refused`() throws {
        for (key, value) in [
            ("\"files\": 1", "\"files\": -1"), ("\"bytes\": 1000000", "\"bytes\": 18446744073709551615"),
            ("\"bytes\": 1000000", "\"bytes\": 4"), ("\"bytes\": 1000000", "\"bytes\": 1e300"),
        ] {
            let text = String(decoding: HostileArchive.head(), as: UTF8.self).replacing(key, with: value)
            #expect(throws: ArchiveError.self, "\(value)") { try ArchiveHead(parsing: Array(text.utf8)) }
        }
    }
}
