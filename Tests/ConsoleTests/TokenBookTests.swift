import FoundationEssentials
import Glibc
import HostClock
import Logging
import Testing
import Time

@testable import Console

/// Tokens, and the file that they are kept in.
@Suite struct TokenBookTests {
    private static let logger = Logger(label: "test", factory: { _ in SwiftLogNoOpLogHandler() })

    private static func book(_ folder: String, _ clock: ManualClock = ManualClock(at: .now)) -> TokenBook {
        TokenBook(path: "\(folder)/tokens.json", clock: clock, logger: logger)
    }

    private static func code(_ body: () async throws -> Void) async -> String? {
        do {
            try await body()
            return nil
        } catch {
            return (error as? Problem)?.code
        }
    }

    @Test func `a token is good in every daemon of the state folder, and its file does not have it`() async throws {
        try await withFolder { folder in
            let (text, token) = try await Self.book(folder).create("ci", .operate, life: nil)
            #expect(text.hasPrefix("fermata_") && text.count == 8 + 64)
            #expect(try Self.book(folder).token(of: text) == token)
            let file = try String(contentsOfFile: "\(folder)/tokens.json", encoding: .utf8)
            #expect(file.contains("\"ci\"") && !file.contains(text.dropFirst(8)))
            var status = stat()
            #expect(stat("\(folder)/tokens.json", &status) == 0)
            #expect(status.st_mode & 0o777 == 0o600)
        }
    }

    @Test func `no two tokens are the same, and a part of one is none`() async throws {
        try await withFolder { folder in
            let book = Self.book(folder)
            var texts: [String] = []
            for number in 0..<20 { texts.append(try await book.create("t\(number)", .view, life: nil).text) }
            #expect(Set(texts).count == texts.count)
            for wrong in [String(texts[0].dropLast()), texts[0] + "0", texts[0].uppercased(), "", "fermata_"] {
                #expect(await Self.code { _ = try book.token(of: wrong) } == "token-unknown", "\(wrong)")
            }
        }
    }

    @Test func `a token ends when its time is over`() async throws {
        try await withFolder { folder in
            let clock = ManualClock(at: .now)
            let book = Self.book(folder, clock)
            let (text, token) = try await book.create("short", .view, life: .seconds(60))
            clock.advance(by: .seconds(59))
            #expect(try book.token(of: text) == token && book.isGood(token))
            clock.advance(by: .seconds(1))
            #expect(await Self.code { _ = try book.token(of: text) } == "token-expired")
            #expect(!book.isGood(token))
        }
    }

    @Test func `a revoked token is good nowhere, and its name is free`() async throws {
        try await withFolder { folder in
            let book = Self.book(folder)
            let (text, token) = try await book.create("ci", .admin, life: nil)
            #expect(await Self.code { _ = try await book.create("ci", .view, life: nil) } == "token-exists")
            try await book.revoke("ci")
            #expect(!book.isGood(token))
            for book in [book, Self.book(folder)] {
                #expect(await Self.code { _ = try book.token(of: text) } == "token-unknown")
                #expect(await Self.code { try await book.revoke("ci") } == "token-not-found")
            }
            #expect(try await book.create("ci", .view, life: nil).token.role == .view)
        }
    }

    @Test func `there are so many tokens and no more`() async throws {
        try await withFolder { folder in
            let tokens = (0..<TokenBook.limit).map {
                AccessToken(name: "t\($0)", role: .view, created: .now, expires: nil, digest: "\($0)")
            }
            try TokenFile(path: "\(folder)/tokens.json").write(tokens)
            let book = Self.book(folder)
            #expect(await Self.code { _ = try await book.create("more", .view, life: nil) } == "token-limit")
            #expect(try book.all.count == TokenBook.limit)
        }
    }

    @Test(arguments: [
        "", "{", "[]", "{\"version\":2,\"tokens\":[]}", "{\"version\":1}", "\u{0}\u{0}",
        "{\"version\":1,\"tokens\":[{}]}",
    ])
    func `a file that is damaged or of a later release lets nobody in, and is not written over`(_ text: String)
        async throws
    {
        try await withFolder { folder in
            let path = "\(folder)/tokens.json"
            try Data(text.utf8).write(to: URL(filePath: path))
            let book = Self.book(folder)
            #expect(await Self.code { _ = try book.token(of: "x") } == "tokens-unusable")
            #expect(await Self.code { _ = try await book.create("ci", .view, life: nil) } == "tokens-unusable")
            #expect(try Data(contentsOf: URL(filePath: path)) == Data(text.utf8))
        }
    }

    @Test func `a file that others may write lets nobody in, nor does one by way of a link`() async throws {
        try await withFolder { folder in
            let path = "\(folder)/tokens.json"
            let (text, _) = try await Self.book(folder).create("ci", .view, life: nil)
            chmod(path, 0o620)
            #expect(await Self.code { _ = try Self.book(folder).token(of: text) } == "tokens-unusable")
            chmod(path, 0o600)
            #expect(rename(path, "\(folder)/elsewhere") == 0 && symlink("\(folder)/elsewhere", path) == 0)
            #expect(await Self.code { _ = try Self.book(folder).token(of: text) } == "tokens-unusable")
        }
    }

    @Test func `what cannot be written is not told to be done`() async throws {
        try await withFolder { folder in
            let book = Self.book(folder)
            let (text, token) = try await book.create("ci", .view, life: nil)
            // A folder is in the place of the new version.
            #expect(mkdir("\(folder)/tokens.json.new", 0o700) == 0)
            #expect(await Self.code { try await book.revoke("ci") } == "tokens-not-written")
            #expect(await Self.code { _ = try await book.create("other", .view, life: nil) } == "tokens-not-written")
            #expect(try book.token(of: text) == token)
        }
    }

    @Test func `who has an end gives none that is later`() async throws {
        try await withFolder { folder async throws in
            let clock = ManualClock(at: .now)
            let book = Self.book(folder, clock)
            let end = clock.now() + .seconds(60)
            for life: Span? in [nil, .seconds(61)] {
                #expect(
                    await Self.code { _ = try await book.create("x", .view, life: life, endingBy: end) }
                        == "token-outlives"
                )
            }
            #expect(try book.all.isEmpty)
            #expect(try await book.create("x", .view, life: .seconds(60), endingBy: end).token.expires == end)
        }
    }

    @Test(.timeLimit(.minutes(1)))
    func `a disk that hangs holds up who makes tokens, and nobody who has one`() async throws {
        try await withFolder { folder in
            let book = Self.book(folder)
            let (text, token) = try await book.create("ci", .view, life: nil)
            let disk = try HangingDisk("\(folder)/tokens.json.new")
            await withTaskGroup(of: Void.self) { group in
                for number in 0..<HangingDisk.writers {
                    group.addTask { _ = try? await book.create("t\(number)", .view, life: nil) }
                }
                await disk.whileItHangs {
                    let found = try? book.token(of: text)
                    #expect(found == token && book.isGood(token))
                }
                disk.goesOn()
            }
            #expect(try book.all.count > 1)
        }
    }
}
