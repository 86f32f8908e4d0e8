import FoundationEssentials
import Glibc
import HypervisorAPI
import Testing
import Time

@testable import Hypervisor

/// What a hypervisor that is started again finds of what it had under way, whenever the one before it died.
struct JournalTests {
    private static let instant = HostInstant(nanosecondsSinceEpoch: 1_700_000_000_000_000_000)

    private let entry = JournalEntry(
        operation: OperationID(text: "op-1"),
        kind: .suspend,
        simulation: "lab",
        machines: ["bmc", "host"],
        phase: .preparing,
        folder: "/checkpoints/lab/.new",
        finalFolder: "/checkpoints/lab/one",
        instant: nil
    )

    private func withJournal(_ body: (Journal, _ path: String) throws -> Void) throws {
        let folder = FileManager.default.temporaryDirectory.path + "/fermata-journal-\(UInt64.random(in: 0 ... .max))"
        try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
        defer { try? FileManager.default.removeItem(atPath: folder) }
        try body(Journal(folder: folder), "\(folder)/\(entry.operation.text).json")
    }

    private func append(_ text: String, to path: String) throws {
        let file = try #require(fopen(path, "a"))
        defer { fclose(file) }
        try #require(fputs(text, file) >= 0)
    }

    @Test func theLastStepThatWasNotedIsFound() throws {
        try withJournal { journal, _ in
            try journal.begin(entry)
            #expect(journal.load().entries == [entry])
            let armed = entry.noting(.armed, at: Self.instant)
            try journal.note(armed)
            #expect(journal.load().entries == [armed])
            try journal.note(armed.noting(.committing))
            let found = journal.load()
            #expect(found.entries == [armed.noting(.committing)] && found.unreadable.isEmpty)
            #expect(found.entries.first?.instant == Self.instant)
            try journal.remove(entry.operation)
            #expect(journal.load().entries.isEmpty)
        }
    }

    /// Whatever was lost of a step, nobody was told of it: the one before it counts, and the next one is read again.
    @Test func aStepThatWasCutShortIsNoneAndHidesNoLaterOne() throws {
        let armed = entry.noting(.armed, at: Self.instant)
        let line = "\n" + String(decoding: try DurableFile.encode(armed, for: "here"), as: UTF8.self)
        for length in 0..<line.utf8.count {
            try withJournal { journal, path in
                try journal.begin(entry)
                try append(String(line.prefix(length)), to: path)
                var found = journal.load()
                #expect(found.entries == [entry] && found.unreadable.isEmpty, "after \(length) bytes of a step")
                try journal.note(entry.noting(.rollingBack))
                found = journal.load()
                #expect(found.entries == [entry.noting(.rollingBack)], "behind \(length) bytes of a step")
            }
        }
    }

    @Test func oneThatWasSettledAndIsToldAgainIsWrittenWhole() throws {
        try withJournal { journal, _ in
            try journal.note(entry.noting(.rollingBack))
            #expect(journal.load().entries == [entry.noting(.rollingBack)])
        }
    }

    @Test(arguments: ["", "\n", "{", "null", "{}", "{\"operation\": 5}\n{}"])
    func oneThatDoesNotBeginAsItShouldIsReportedAndStays(_ text: String) throws {
        try withJournal { journal, path in
            try append(text, to: path)
            let found = journal.load()
            #expect(found.entries.isEmpty && found.unreadable.first?.reasons.first?.code == "record-unreadable")
            #expect(access(path, F_OK) == 0)
        }
    }

    /// What cannot be made durable is taken back.
    @Test func aStepForWhichThereIsNoRoomIsRefusedAndLeavesTheOneBeforeIt() throws {
        guard geteuid() == 0 else {
            print("skipped: a file can only be made to have no room by root")
            return
        }
        try withJournal { journal, path in
            let folder = journal.folder
            try #require(mount("fermata-test", folder, "tmpfs", 0, "size=4096,mode=700") == 0)
            defer { umount2(folder, Int32(MNT_DETACH)) }
            try journal.begin(entry)
            // Fills the one page that the file has, and there is no other.
            var size = 0
            while (try? journal.note(entry.noting(.armed, at: Self.instant))) != nil {
                size += 1
                try #require(size < 100)
            }
            let found = journal.load()
            #expect(found.entries == [entry.noting(.armed, at: Self.instant)] && found.unreadable.isEmpty)
            #expect(size > 0 && access(path, F_OK) == 0)
        }
    }
}
