import FoundationEssentials
import Glibc
import HypervisorAPI
import Testing
import Time

@testable import Hypervisor

/// What comes from another host is written into a folder of its own, and taken out of there before anybody believes it.
struct ArrivalFolderTests {
    private let scratch: ScratchFolder
    private let arriving: String
    private let folder: ArrivalFolder

    init() throws {
        scratch = try ScratchFolder()
        mkdir(scratch.file("lab"), 0o700)
        arriving = scratch.file("lab/s1.partial.arriving")
        folder = try #require(ArrivalFolder(arriving))
    }

    private func piece(_ bytes: [UInt8], at offset: UInt64 = 0, of size: UInt64? = nil) -> FilePiece {
        FilePiece(offset: offset, bytes: bytes, size: size ?? UInt64(bytes.count))
    }

    private func place(_ path: String = "machines/bmc/ram") -> FilePlace { FilePlace(folder: arriving, path: path) }

    private func refused(_ body: () async throws(HypervisorError) -> Void) async -> [String] {
        do throws(HypervisorError) {
            try await body()
            return []
        } catch {
            return error.reasons.map(\.code)
        }
    }

    @Test func `only a name that ends so is one`() {
        for name in ["s1", "s1.partial", "s1.arriving", "s1.partial.arriving/x"] {
            #expect(ArrivalFolder(scratch.file(name)) == nil, "\(name)")
        }
        #expect(ArrivalFolder(becoming: scratch.file("s1.partial"))?.path == scratch.file("s1.partial.arriving"))
        #expect(ArrivalFolder(becoming: scratch.file("s1")) == nil)
    }

    @Test func `what was taken away is written no more`() async throws {
        try await folder.write(piece([1, 2, 3]), to: place())
        let taken = try await folder.take()
        #expect(taken == scratch.file("lab/s1.partial"))
        let file = URL(filePath: "\(taken)/machines/bmc/ram")
        #expect(try Data(contentsOf: file) == Data([1, 2, 3]))
        #expect(
            await refused { () throws(HypervisorError) in try await folder.write(piece([9]), to: place()) } == [
                "checkpoint-exists"
            ]
        )
        #expect(try Data(contentsOf: file) == Data([1, 2, 3]))
    }

    /// Whatever is written was written before it was taken: none of the writers has it open any more.
    @Test func `it is taken between two writes and not in one`() async throws {
        try await folder.write(piece([UInt8](repeating: 1, count: 4096)), to: place())
        let target = place()
        async let writing: Void = withTaskGroup(of: Void.self) { group in
            for round in 2..<40 {
                group.addTask {
                    let bytes = [UInt8](repeating: UInt8(round), count: 4096)
                    try? await folder.write(FilePiece(offset: 0, bytes: bytes, size: 4096), to: target)
                }
            }
        }
        let taken = try await folder.take()
        let file = URL(filePath: "\(taken)/machines/bmc/ram")
        let before = try Data(contentsOf: file)
        await writing
        #expect(try Data(contentsOf: file) == before && Set(before).count == 1)
    }

    @Test(arguments: ["lab/s1", "lab/s1.partial"])
    func `what is there already is not written over`(_ name: String) async throws {
        mkdir(scratch.file(name), 0o700)
        scratch.write([7], to: "\(name)/state")
        #expect(
            await refused { () throws(HypervisorError) in try await folder.write(piece([9]), to: place()) } == [
                "checkpoint-exists"
            ]
        )
        mkdir(arriving, 0o700)
        #expect(
            await refused { () throws(HypervisorError) in _ = try await folder.take() } == ["checkpoint-exists"]
        )
        #expect(try Data(contentsOf: URL(filePath: scratch.file("\(name)/state"))) == Data([7]))
    }

    @Test func `a link in its place is none`() async throws {
        mkdir(scratch.file("elsewhere"), 0o700)
        symlink(scratch.file("elsewhere"), arriving)
        #expect(
            await refused { () throws(HypervisorError) in try await folder.write(piece([9]), to: place()) } == [
                "file-failed"
            ]
        )
        #expect(await refused { () throws(HypervisorError) in _ = try await folder.take() } == ["file-failed"])
        #expect(FolderListing.names(in: scratch.file("elsewhere")) == [])
    }

    @Test func `what nobody announced, or what is missing, is not taken for a checkpoint`() async throws {
        let known = CheckpointFile(role: .state, path: "machines/bmc/state.qemu", bytes: 3, sha256: nil)
        let partial = CheckpointFolder(path: scratch.file("lab/s1.partial"))
        func check() -> String? {
            do throws(HypervisorError) {
                try partial.refuseUnlisted([known])
                return nil
            } catch {
                return error.reasons.first?.code
            }
        }
        mkdir(partial.path, 0o700)
        #expect(check() == "archive-corrupt", "it is missing")
        mkdir("\(partial.path)/machines", 0o700)
        mkdir("\(partial.path)/machines/bmc", 0o700)
        scratch.write([1, 2, 3], to: "lab/s1.partial/machines/bmc/state.qemu")
        #expect(check() == nil)
        scratch.write([1], to: "lab/s1.partial/machines/bmc/ram")
        #expect(check() == "archive-corrupt", "a file more")
        unlink("\(partial.path)/machines/bmc/ram")
        symlink("/etc/passwd", "\(partial.path)/machines/bmc/link")
        #expect(check() == "archive-corrupt", "a link")
        unlink("\(partial.path)/machines/bmc/link")
        scratch.write([1], to: "lab/s1.partial/machines/bmc/state.qemu")
        #expect(check() == "archive-corrupt", "another size")
    }

    @Test func `a volume keeps some of its room`() async throws {
        guard geteuid() == 0, mount("fermata-test", scratch.file("lab"), "tmpfs", 0, "size=8m,mode=700") == 0 else {
            print("skipped: no small volume can be mounted here")
            return
        }
        defer { umount2(scratch.file("lab"), Int32(MNT_DETACH)) }
        let size = 8 << 20
        var offset = 0
        var codes: [String] = []
        while codes.isEmpty, offset < size {
            let bytes = [UInt8](repeating: 1, count: 64 << 10)
            codes = await refused { () throws(HypervisorError) in
                try await folder.write(piece(bytes, at: UInt64(offset), of: UInt64(size)), to: place())
            }
            offset += bytes.count
        }
        #expect(codes == ["no-space"])
        var volume = statvfs()
        #expect(statvfs(scratch.file("lab"), &volume) == 0 && volume.f_bavail > 0)
    }

    @Test func `what nobody sends any more can be cleared away, and nothing else`() async throws {
        try await folder.write(piece([1]), to: place())
        let checkpoints = String(scratch.file("").dropLast())
        #expect(ArrivalFolder.forsaken(below: checkpoints).isEmpty, "it has just come")
        for path in [arriving, "\(arriving)/machines", "\(arriving)/machines/bmc", "\(arriving)/machines/bmc/ram"] {
            let old = timespec(tv_sec: time(nil) - 7200, tv_nsec: 0)
            #expect(utimensat(AT_FDCWD, path, [old, old], 0) == 0)
        }
        mkdir(scratch.file("lab/s2"), 0o700)
        #expect(ArrivalFolder.forsaken(below: checkpoints).map(\.path) == [arriving])
        #expect(ArrivalFolder.forsaken(below: checkpoints, for: .seconds(10_000)).isEmpty)
    }
}
