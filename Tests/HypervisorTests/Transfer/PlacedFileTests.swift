import FoundationEssentials
import Glibc
import HypervisorAPI
import Testing

@testable import Hypervisor

struct PlacedFileTests {
    private let scratch: ScratchFolder
    private let source: String
    private let target: String

    init() throws {
        scratch = try ScratchFolder()
        (source, target) = (scratch.file("from"), scratch.file("to"))
        mkdir(source, 0o700)
        mkdir("\(source)/machines", 0o700)
    }

    /// A file of holes, but for these bytes.
    private func make(_ name: String, size: Int, _ data: [(Int, [UInt8])]) {
        let file = open("\(source)/\(name)", O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0o600)
        ftruncate(file, off_t(size))
        for (offset, bytes) in data { pwrite(file, bytes, bytes.count, off_t(offset)) }
        close(file)
    }

    private func pieces(_ name: String, from start: UInt64 = 0) async throws -> [FilePiece] {
        var (pieces, position): ([FilePiece], UInt64) = ([], start)
        repeat {
            let piece = try await PlacedFile.read(FilePlace(folder: source, path: name), from: position)
            pieces.append(piece)
            position = piece.end
        } while position < pieces[0].size
        return pieces
    }

    @Test func holesDoNotTravelAndStayHoles() async throws {
        let size = 64 << 20
        make("machines/ram", size: size, [(5 << 20, [1, 2, 3]), ((5 << 20) + 8192, [4]), (40 << 20, [9])])
        let pieces = try await pieces("machines/ram")
        #expect(pieces.map(\.offset) == [5 << 20, 40 << 20, UInt64(size)])
        #expect(pieces.map(\.bytes.count) == [12_288, 4096, 0], "a small hole is no reason for another message")
        let there = FilePlace(folder: target, path: "machines/bmc/ram")
        for piece in pieces + [pieces[0]] { try await PlacedFile.write(piece, to: there) }
        #expect(
            try Data(contentsOf: URL(filePath: there.absolute))
                == Data(contentsOf: URL(filePath: "\(source)/machines/ram"))
        )
        var status = stat()
        #expect(stat(there.absolute, &status) == 0 && status.st_blocks * 512 < 1 << 20)
    }

    @Test func itGoesOnWhereItStopped() async throws {
        let bytes = (0..<(9 << 20)).map { UInt8(truncatingIfNeeded: $0 >> 9 | 1) }
        make("big", size: bytes.count, [(0, bytes)])
        let whole = try await pieces("big")
        #expect(whole.allSatisfy { $0.bytes.count <= FilePiece.mostBytes } && whole.flatMap(\.bytes) == bytes)
        let rest = try await pieces("big", from: 5_000_001)
        #expect(rest[0].offset == 5_000_001 && rest.flatMap(\.bytes) == Array(bytes[5_000_001...]))
        #expect(try await pieces("big", from: UInt64(bytes.count) + 7).map(\.bytes) == [[]])
    }

    @Test func aFileOfNothingButHoleComesInOnePiece() async throws {
        make("empty", size: 1 << 30, [])
        let pieces = try await pieces("empty")
        #expect(pieces == [FilePiece(offset: 1 << 30, bytes: [], size: 1 << 30)])
        try await PlacedFile.write(pieces[0], to: FilePlace(folder: target, path: "empty"))
        #expect(try FileDigest.size(of: "\(target)/empty") == 1 << 30)
    }

    @Test(arguments: ["", ".", "..", "../secret", "machines/../../secret", "/etc/passwd", "machines//ram", "machines"])
    func nothingElseIsAFile(_ path: String) async throws {
        scratch.write([1], to: "secret")
        let place = FilePlace(folder: source, path: path)
        let error = await #expect(throws: HypervisorError.self) { try await PlacedFile.read(place, from: 0) }
        #expect(error?.reasons.map(\.code) == ["checkpoint-corrupt"])
        let piece = FilePiece(offset: 0, bytes: [2], size: 1)
        await #expect(throws: HypervisorError.self) { try await PlacedFile.write(piece, to: place) }
        #expect(try Data(contentsOf: URL(filePath: scratch.file("secret"))) == Data([1]))
    }

    @Test func linksAreNotFollowed() async throws {
        scratch.write([1], to: "secret")
        mkdir(scratch.file("elsewhere"), 0o700)
        scratch.write([1], to: "elsewhere/ram")
        symlink(scratch.file("secret"), "\(source)/machines/ram")
        symlink(scratch.file("elsewhere"), "\(source)/links")
        symlink(source, scratch.file("alias"))
        mkfifo("\(source)/fifo", 0o600)
        make("plain", size: 1, [(0, [1])])
        for place in [
            FilePlace(folder: source, path: "machines/ram"), FilePlace(folder: source, path: "links/ram"),
            FilePlace(folder: scratch.file("alias"), path: "plain"), FilePlace(folder: source, path: "fifo"),
        ] {
            await #expect(throws: HypervisorError.self) { try await PlacedFile.read(place, from: 0) }
            let piece = FilePiece(offset: 0, bytes: [2], size: 1)
            await #expect(throws: HypervisorError.self) { try await PlacedFile.write(piece, to: place) }
        }
        #expect(try Data(contentsOf: URL(filePath: scratch.file("secret"))) == Data([1]))
        #expect(try await pieces("plain").map(\.bytes) == [[1]])
    }

    @Test func aPieceThatDoesNotLieInItsFileIsRefused() async throws {
        for piece in [
            FilePiece(offset: 5, bytes: [1], size: 5), FilePiece(offset: .max, bytes: [1], size: .max),
            FilePiece(offset: 0, bytes: [], size: .max), FilePiece(offset: 6, bytes: [], size: 5),
        ] {
            let error = await #expect(throws: HypervisorError.self) {
                try await PlacedFile.write(piece, to: FilePlace(folder: target, path: "x"))
            }
            #expect(error?.reasons.map(\.code) == ["message-invalid"])
        }
    }

    @Test func aVolumeWithoutRoomSaysSo() async throws {
        mkdir(target, 0o700)
        guard geteuid() == 0, mount("fermata-test", target, "tmpfs", 0, "size=1m,mode=700") == 0 else {
            print("skipped: no small volume can be mounted here")
            return
        }
        defer { umount2(target, Int32(MNT_DETACH)) }
        let piece = FilePiece(offset: 0, bytes: [UInt8](repeating: 1, count: 2 << 20), size: 2 << 20)
        let place = FilePlace(folder: target, path: "x")
        let error = await #expect(throws: HypervisorError.self) { try await PlacedFile.write(piece, to: place) }
        #expect(error?.reasons.map(\.code) == ["no-space"] && error?.description.contains("/to/x") == true)
    }
}
