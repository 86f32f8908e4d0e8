import CShims
import Foundation
import Glibc
import HypervisorAPI
import Synchronization
import Testing

@testable import Hypervisor

struct CheckpointRAMTests {
    /// A checkpoint whose RAM is in memory, and the folder of a machine that is to go on from it.
    private static func unsealed(_ folder: ScratchFolder) throws -> (RAMStore, CheckpointRAM, link: String) {
        let memory = "/dev/shm/\(folder.path.split(separator: "/").last ?? "")"
        try FileManager.default.createDirectory(atPath: memory, withIntermediateDirectories: true)
        let store = RAMStore(home: folder.file("home"), wanted: memory)
        let ram = CheckpointRAM(path: folder.file("ram"), bytes: 8192)
        let path = try store.create(bytes: 8192, ownedBy: ram.path)
        try Data([UInt8](repeating: 5, count: 8192)).write(to: URL(filePath: path), options: [])
        try FileManager.default.createDirectory(atPath: folder.file("machine"), withIntermediateDirectories: true)
        return (store, ram, folder.file("machine/ram"))
    }

    private static func clear(_ store: RAMStore) {
        try? FileManager.default.removeItem(at: URL(filePath: store.folder).deletingLastPathComponent())
    }

    @Test(arguments: [RAMUse.keep, .ephemeral])
    func aViewStaysInMemoryWhenTheCheckpointIsSealedBeforeItIsOpened(_ use: RAMUse) async throws {
        let folder = try ScratchFolder()
        let (store, ram, link) = try Self.unsealed(folder)
        defer { Self.clear(store) }
        let view = try await ram.provide(use, ownedBy: link, store: store)
        #expect(!view.shared)
        _ = try await ram.seal(store) { false }
        #expect(ram.isInPlace)
        #expect(store.file(behind: link, bytes: 8192) == view.path)
        #expect(
            fermata_volume_of(view.path) == FERMATA_VOLUME_MEMORY && !FileCopy.isSame(view.path, ram.path)
        )
        #expect(try Data(contentsOf: URL(filePath: view.path)) == Data(contentsOf: URL(filePath: ram.path)))
        // Nobody else is given what is looked at, and it is gone with the machine.
        let second = try await ram.provide(.keep, ownedBy: link + "2", store: store)
        #expect(second.path == ram.path && !second.shared)
        store.remove(link)
        #expect(FileManager.default.subpaths(atPath: store.folder)?.filter { $0.hasSuffix(".ram") } == [])
    }

    @Test func aFileWithTwoNamesIsReckonedWithOnce() async throws {
        let folder = try ScratchFolder()
        let (store, _, link) = try Self.unsealed(folder)
        defer { Self.clear(store) }
        let growing = folder.file("growing")
        _ = try store.create(bytes: 64 << 20, ownedBy: growing)
        let before = store.room
        _ = try store.addName(to: growing, bytes: 64 << 20, ownedBy: link)
        #expect(before < store.room + (32 << 20), "\(before), then \(store.room)")
        #expect(try store.addName(to: folder.file("nothing"), bytes: 1, ownedBy: link + "2") == nil)
    }

    /// A sealing that ends at any moment of a look, or of a machine's coming for the RAM, is met by some of so many.
    @Test func ramThatIsSealedWhileItIsLookedAtIsFound() throws {
        let folder = try ScratchFolder()
        let (store, ram, _) = try Self.unsealed(folder)
        defer { Self.clear(store) }
        let target = try #require(store.file(behind: ram.path))
        let sealed = folder.file("sealed")
        try Data([UInt8](repeating: 5, count: 8192)).write(to: URL(filePath: sealed))
        let turns = 3000
        let turn = Mutex(0)
        let sealing = Thread {
            for index in 1...turns {
                while turn.withLock({ $0 }) < index { sched_yield() }
                Glibc.rename(folder.file("copy"), ram.path)
            }
        }
        var failures: [HypervisorError] = []
        for index in 1...turns {
            unlink(ram.path)
            try RAMStore.point(ram.path, to: target)
            _ = Glibc.link(sealed, folder.file("copy"))
            if index == 1 { sealing.start() }
            turn.withLock { $0 = index }
            do {
                repeat { try ram.check(store) } while !ram.isInPlace
            } catch {
                failures.append(error)
            }
            while !ram.isInPlace { sched_yield() }
        }
        #expect(failures.isEmpty, "\(failures.count) of \(turns), such as \(failures.first?.description ?? "")")
    }

    @Test func ramThatWasMovedAsItWasSealedIsGivenBack() throws {
        let folder = try ScratchFolder()
        let (store, ram, link) = try Self.unsealed(folder)
        defer { Self.clear(store) }
        store.remove(ram.path)
        try Data([UInt8](repeating: 7, count: 8192)).write(to: URL(filePath: link))
        try RAMStore.point(link + CheckpointRAM.originSuffix, to: ram.path)
        try RAMStore.point(ram.path + CheckpointRAM.takenSuffix, to: link)
        CheckpointRAM.giveBack(from: link, store)
        #expect(try Data(contentsOf: URL(filePath: ram.path)) == Data([UInt8](repeating: 7, count: 8192)))
        try ram.check(store)
        #expect(ProcFile.readLink(ram.path + CheckpointRAM.takenSuffix) == nil)
    }

    @Test func ramIsTakenWhetherOrNotItIsSealedMeanwhile() async throws {
        for _ in 0..<30 {
            let folder = try ScratchFolder()
            let (store, ram, link) = try Self.unsealed(folder)
            defer { Self.clear(store) }
            async let sealing = try? ram.seal(store) { false }
            let own = try await ram.provide(.consume, ownedBy: link, store: store)
            _ = await sealing
            #expect(try Data(contentsOf: URL(filePath: own.path)) == Data([UInt8](repeating: 5, count: 8192)))
            #expect(store.file(behind: link, bytes: 8192) == own.path)
        }
    }
}
