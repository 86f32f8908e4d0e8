import HypervisorAPI
import Testing

@testable import HypervisorRemote

struct CheckpointFoldersTests {
    private let ours = CheckpointFolders(home: "/home/control")
    private let theirs = CheckpointFolders(home: "/var/lib/fermata")

    @Test(arguments: ["checkpoints/lab/first", "checkpoints/lab/first.partial", "checkpoints/a-b_c.1/2026-11-26T10.00"])
    func aCheckpointIsAtTheSamePlaceInEachStateFolder(_ folder: String) throws {
        let relative = try ours.relative("/home/control/\(folder)")
        #expect(relative == folder)
        #expect(try theirs.absolute(relative) == "/var/lib/fermata/\(folder)")
    }

    @Test func whatComesFromElsewhereHasAFolderOfItsOwn() throws {
        let arriving = "checkpoints/lab/s1.partial.arriving"
        #expect(try theirs.absolute(arriving, of: [.arrival]) == "/var/lib/fermata/\(arriving)")
        #expect(throws: HypervisorError.self, "it is no checkpoint") { try theirs.absolute(arriving) }
        #expect(
            try theirs.file("\(arriving)/machines/bmc/ram", of: [.arrival])
                == FilePlace(folder: "/var/lib/fermata/\(arriving)", path: "machines/bmc/ram")
        )
        for other in [
            "checkpoints/lab/s1", "checkpoints/lab/s1.partial", "checkpoints/lab/s1.arriving", "exports/1",
            "checkpoints/lab/.partial.arriving", "checkpoints/lab/a.b.partial.arriving",
            "checkpoints/Lab/s1.partial.arriving",
        ] {
            #expect(throws: HypervisorError.self, "\(other)") { try theirs.absolute(other, of: [.arrival]) }
        }
    }

    @Test(arguments: [
        "", "/", "/etc", "checkpoints", "checkpoints/lab", "checkpoints/lab/", "checkpoints/lab/first/machines",
        "checkpoints//first",
        "checkpoints/../etc", "checkpoints/lab/..", "checkpoints/./first", "machines/lab/first",
        "../checkpoints/lab/first",
        "/checkpoints/lab/first", "checkpoints/lab/first\0", "checkpoints/lab/fi rst", "checkpoints/lab/é",
        "checkpoints/.lab/first",
    ])
    func nothingElseIsAFolder(_ folder: String) {
        #expect(throws: HypervisorError.self) { try theirs.absolute(folder) }
        #expect(throws: HypervisorError.self) { try ours.relative(folder) }
        #expect(throws: HypervisorError.self) { try ours.relative("/home/controller/\(folder)") }
        if folder != "checkpoints/lab/first" {
            #expect(throws: HypervisorError.self) { try ours.relative("/home/control/\(folder)") }
        }
    }
}
