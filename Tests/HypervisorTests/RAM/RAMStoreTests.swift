import Foundation
import Glibc
import HypervisorAPI
import Testing

@testable import Hypervisor

struct RAMStoreTests {
    private func store(_ folder: ScratchFolder) throws -> RAMStore {
        try FileManager.default.createDirectory(atPath: folder.file("ram"), withIntermediateDirectories: true)
        return RAMStore(home: folder.file("home"), wanted: folder.file("ram"))
    }

    @Test func aFileIsWhoseLinkLeadsToIt() throws {
        let folder = try ScratchFolder()
        let store = try store(folder)
        let link = folder.file("link")
        let path = try store.create(bytes: 1 << 20, ownedBy: link)
        #expect(store.file(behind: link) == path && store.file(behind: link, bytes: 1 << 20) == path)
        #expect(store.file(behind: link, bytes: 4096) == nil)
        store.remove(link)
        #expect(access(path, F_OK) != 0 && access(link, F_OK) != 0)
    }

    @Test func whatNoLinkLeadsToIsFoundAndNothingElse() throws {
        let folder = try ScratchFolder()
        let store = try store(folder)
        let links = folder.file("home/machines/lab/m")
        try FileManager.default.createDirectory(atPath: links, withIntermediateDirectories: true)
        let owned = try store.create(bytes: 4096, ownedBy: "\(links)/ram")
        let warm = try store.create(bytes: 4096, ownedBy: "\(links)/ram.warm")
        store.keepWarm("\(links)/ram.warm")
        #expect(access(warm, F_OK) != 0)
        let lost = try store.create(bytes: 4096, ownedBy: folder.file("elsewhere"))
        let mapped = try store.create(bytes: 4096, ownedBy: folder.file("mapped"))
        for link in ["elsewhere", "mapped"] { unlink(folder.file(link)) }
        let file = open(mapped, O_RDWR)
        let memory = mmap(nil, 4096, PROT_READ, MAP_SHARED, file, 0)
        try #require(memory != MAP_FAILED)
        defer {
            munmap(memory, 4096)
            close(file)
        }
        #expect(store.unowned(age: 0).map(\.path) == [lost])
        #expect(store.unowned().isEmpty, "it could be on its way to its owner")
        #expect(access(owned, F_OK) == 0)
    }

    @Test func aLinkThatLeadsElsewhereIsNotFollowed() throws {
        let folder = try ScratchFolder()
        let store = try store(folder)
        let own = try store.create(bytes: 4096, ownedBy: folder.file("own"))
        let secret = folder.file("secret")
        try Data(count: 4096).write(to: URL(filePath: secret))
        for target in [secret, "\(store.folder)/../../secret", "\(store.folder)", own + "x"] {
            let link = folder.file("link")
            unlink(link)
            symlink(target, link)
            #expect(store.file(behind: link) == nil, "\(target)")
            store.remove(link)
            #expect(access(secret, F_OK) == 0, "\(target)")
        }
        #expect(access(own, F_OK) == 0)
        let ram = CheckpointRAM(path: folder.file("ram-link"), bytes: 4096)
        symlink(secret, ram.path)
        let error = #expect(throws: HypervisorError.self) { try ram.check(store) }
        #expect(error?.reasons.map(\.code) == ["ram-elsewhere"])
    }

    @Test func whatOthersMayStillWriteIsReckonedWith() throws {
        let folder = try ScratchFolder()
        let store = try store(folder)
        let room = store.room
        let most = room / 4096 * 4096
        let link = folder.file("large")
        _ = try store.create(bytes: most - (64 << 20), ownedBy: link)
        #expect(store.room < 128 << 20)
        let error = #expect(throws: HypervisorError.self) {
            try store.create(bytes: 1 << 40, ownedBy: folder.file("another"))
        }
        #expect(error?.reasons.map(\.code) == ["no-space"])
        #expect(error?.description.contains(RAMStore.setting) == true)
        #expect(ProcFile.readLink(folder.file("another")) == nil, "nothing is left of it")
        store.remove(link)
    }

    @Test func whatIsWarmMakesRoom() throws {
        let folder = try ScratchFolder()
        let store = try store(folder)
        let link = folder.file("ram.warm")
        _ = try store.create(bytes: 1 << 30, ownedBy: link)
        store.keepWarm(link)
        let warm = try #require(store.file(behind: link))
        #expect(warm.hasPrefix(store.warmFolder))
        #expect(throws: HypervisorError.self) { try store.create(bytes: 1 << 50, ownedBy: folder.file("huge")) }
        #expect(access(warm, F_OK) != 0, "given up for it, before it is refused")
        #expect(store.file(behind: link) == nil)
    }

    @Test func forWhatIsGoodToHaveNobodyGivesUpAnything() throws {
        let folder = try ScratchFolder()
        let store = RAMStore(home: folder.path, wanted: "/dev/shm")
        defer { try? FileManager.default.removeItem(atPath: store.folder) }
        try #require(store.isOrdinaryMemory, "this host has no tmpfs at /dev/shm")
        let link = folder.file("ram.warm")
        _ = try store.create(bytes: 4096, ownedBy: link)
        store.keepWarm(link)
        #expect(store.createSpare(bytes: 1 << 50, ownedBy: folder.file("spare")) == nil)
        #expect(store.file(behind: link) != nil && ProcFile.readLink(folder.file("spare")) == nil)
        if store.hasPlenty() {
            let spare = try #require(store.createSpare(bytes: 4096, ownedBy: folder.file("spare")))
            #expect(store.file(behind: folder.file("spare"), bytes: 4096) == spare)
        } else {
            print("no spare file: this host has no memory to spare")
        }
    }

    @Test func aFolderOfSomebodyElseIsRefused() throws {
        let folder = try ScratchFolder()
        let store = try store(folder)
        try FileManager.default.createDirectory(atPath: store.folder, withIntermediateDirectories: true)
        chmod(store.folder, 0o777)
        let error = #expect(throws: HypervisorError.self) { try store.create(bytes: 4096, ownedBy: folder.file("a")) }
        #expect(error?.reasons.map(\.code) == ["ram-folder-unusable"])
    }

    @Test func whatAHomeLeftThatIsNoMoreIsTold() throws {
        let folder = try ScratchFolder()
        let gone = RAMStore(home: folder.file("gone"), wanted: folder.path)
        let file = try gone.create(bytes: 1 << 20, ownedBy: folder.file("link"))
        try #require(
            truncate(file, 0) == 0 && FileManager.default.createFile(atPath: file, contents: Data(count: 1 << 20))
        )
        _ = try #require(try gone.addName(to: folder.file("link"), bytes: 1 << 20, ownedBy: folder.file("link2")))
        let living = RAMStore(home: folder.path, wanted: folder.path)
        _ = try living.create(bytes: 4096, ownedBy: folder.file("other"))
        #expect(living.abandoned.map(\.folder) == [gone.folder])
        #expect(
            living.abandoned.map(\.bytes) == [ProcFile.allocatedBytes(of: file)],
            "it has two names, and is there once"
        )
        #expect(access(gone.folder, F_OK) == 0)
    }
}
