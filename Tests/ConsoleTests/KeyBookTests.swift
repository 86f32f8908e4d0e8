import FoundationEssentials
import Glibc
import HypervisorAPI
import Logging
import Synchronization
import Testing

@testable import Console

/// Keys of requests, and the operations that they stand for.
@Suite struct KeyBookTests {
    private static func book(_ folder: String) -> KeyBook {
        KeyBook(
            path: "\(folder)/keys.jsonl",
            logger: Logger(label: "test", factory: { _ in SwiftLogNoOpLogHandler() })
        )
    }

    private static func operation(_ text: String) -> OperationID { OperationID(text: text) }

    @Test func `a key stands for the operation that it was first sent for, in the next daemon, too`() async throws {
        try await withFolder { folder in
            let first = try await Self.book(folder).claim("k", of: "s", for: "r", new: Self.operation("a"))
            #expect(first.operation.text == "a" && !first.isKnown)
            let book = Self.book(folder)
            let again = try await book.claim("k", of: "s", for: "r", new: Self.operation("b"))
            #expect(again.operation.text == "a" && again.isKnown)
            await #expect(throws: Problem.keyReused) {
                _ = try await book.claim("k", of: "s", for: "other", new: Self.operation("b"))
            }
            #expect(try await book.claim("l", of: "s", for: "r", new: Self.operation("b")).operation.text == "b")
        }
    }

    @Test func `a line that a crash cut off hides none of the others`() async throws {
        try await withFolder { folder in
            _ = try await Self.book(folder).claim("k", of: "s", for: "r", new: Self.operation("a"))
            let path = "\(folder)/keys.jsonl"
            let whole = try String(contentsOfFile: path, encoding: .utf8)
            try Data((whole + "{\"key\":\"l\",\"req").utf8).write(to: URL(filePath: path))
            let book = Self.book(folder)
            #expect(try await book.claim("k", of: "s", for: "r", new: Self.operation("b")).operation.text == "a")
            #expect(try await book.claim("l", of: "s", for: "r", new: Self.operation("c")).isKnown == false)
            // What was cut off is not joined to what came after it.
            let next = Self.book(folder)
            #expect(try await next.claim("l", of: "s", for: "r", new: Self.operation("d")).operation.text == "c")
        }
    }

    @Test func `of many keys the oldest are forgotten, and the file does not grow for ever`() async throws {
        try await withFolder { folder in
            let line = { (number: Int) in "{\"key\":\"k\(number)\",\"operation\":\"o\(number)\",\"request\":\"r\"}\n" }
            let text = (0..<3 * KeyBook.limit).map(line).joined()
            try Data(text.utf8).write(to: URL(filePath: "\(folder)/keys.jsonl"))
            let book = Self.book(folder)
            #expect(try await book.claim("k0", of: "s", for: "r", new: Self.operation("new")).isKnown == false)
            #expect(
                try await book.claim("k\(3 * KeyBook.limit - 1)", of: "s", for: "r", new: Self.operation("new")).isKnown
            )
            let lines = try String(contentsOfFile: "\(folder)/keys.jsonl", encoding: .utf8).split(separator: "\n")
            #expect(lines.count == KeyBook.limit)
        }
    }

    @Test func `what cannot be written down is not begun`() async throws {
        try await withFolder { folder in
            let book = Self.book(folder)
            #expect(mkdir("\(folder)/keys.jsonl.new", 0o700) == 0)
            let problem = await #expect(throws: Problem.self) {
                _ = try await book.claim("k", of: "s", for: "r", new: Self.operation("a"))
            }
            #expect(problem?.code == "keys-not-written")
            #expect(rmdir("\(folder)/keys.jsonl.new") == 0)
            let again = try await book.claim("k", of: "s", for: "r", new: Self.operation("b"))
            #expect(!again.isKnown)
        }
    }

    @Test(.timeLimit(.minutes(1)))
    func `a disk that hangs holds up who has a new key, and nobody else`() async throws {
        try await withFolder { folder in
            _ = try await Self.book(folder).claim("k", of: "s", for: "r", new: Self.operation("a"))
            let book = Self.book(folder)
            let disk = try HangingDisk("\(folder)/keys.jsonl.new")
            await withTaskGroup(of: Void.self) { group in
                for number in 0..<HangingDisk.writers {
                    group.addTask {
                        _ = try? await book.claim("new\(number)", of: "s", for: "r", new: Self.operation("b"))
                    }
                }
                await disk.whileItHangs {
                    let known = try? await book.claim("k", of: "s", for: "r", new: Self.operation("c"))
                    #expect(known?.isKnown == true)
                }
                disk.goesOn()
            }
            // All but the one that the disk failed.
            let next = Self.book(folder)
            var known = 0
            for number in 0..<HangingDisk.writers {
                let claim = try await next.claim("new\(number)", of: "s", for: "r", new: Self.operation("c"))
                if claim.isKnown { known += 1 }
            }
            #expect(known >= HangingDisk.writers - 1)
        }
    }

    @Test func `one at a time deals with a key, others do not wait for it`() async throws {
        try await withFolder { folder in
            let book = Self.book(folder)
            let inside = Inside()
            await book.enter("other")
            await withTaskGroup(of: Void.self) { group in
                for _ in 0..<50 {
                    group.addTask {
                        await book.enter("k")
                        inside.enter()
                        await Task.yield()
                        inside.leave()
                        book.leave("k")
                    }
                }
            }
            #expect(inside.most == 1)
        }
    }

    /// How many there were at once.
    private final class Inside: Sendable {
        private let state = Mutex((now: 0, most: 0))

        var most: Int { state.withLock { $0.most } }

        func enter() { state.withLock { $0 = ($0.now + 1, max($0.most, $0.now + 1)) } }

        func leave() { state.withLock { $0.now -= 1 } }
    }
}
