import Glibc
import Testing

@testable import PKI

@Suite struct PermissionTests {
    @Test(arguments: [0o770, 0o720, 0o702, 0o777] as [mode_t])
    func `a folder in which others may write is not used`(_ mode: mode_t) throws {
        let lab = try Lab()
        try lab.folder.setMode("pki", mode)
        #expect(code { _ = try Authority(openingAt: lab.authority.path) } == .permissions)
        #expect(code { _ = try lab.issue(.control, "desk") } == .permissions)
        #expect(code { try lab.authority.revoke(name: "desk", now: lab.now) } == .permissions)
        #expect(code { _ = try lab.authority.list() } == .permissions)
        #expect(code { _ = try Authority.create(at: lab.authority.path, name: "lab", now: lab.now) } == .permissions)
        try lab.folder.setMode("pki", 0o755)
        _ = try lab.issue(.control, "desk")
    }

    @Test(arguments: [0o640, 0o604, 0o620, 0o601, 0o777] as [mode_t])
    func `an authority's key that others may use is not used`(_ mode: mode_t) throws {
        let lab = try Lab()
        try lab.folder.setMode("pki/ca.key", mode)
        #expect(code { _ = try lab.issue(.control, "desk") } == .permissions)
        try lab.folder.setMode("pki/ca.key", 0o400)
        _ = try lab.issue(.control, "desk")
    }

    @Test(arguments: ["ca.pem", "issued.json", "revoked"])
    func `files that others may write are not used`(_ name: String) throws {
        let lab = try Lab()
        try lab.folder.setMode("pki/\(name)", 0o664)
        #expect(
            code {
                _ = try Authority(openingAt: lab.authority.path).revocations(now: lab.now)
            } == .permissions
        )
        try lab.folder.setMode("pki/\(name)", 0o644)
        _ = try Authority(openingAt: lab.authority.path).revocations(now: lab.now)
    }

    @Test func `neither symbolic links, nor pipes, nor folders are read as files`() throws {
        let lab = try Lab()
        let elsewhere = lab.folder.place("key")
        try #require(rename(lab.folder.place("pki/ca.key"), elsewhere) == 0)
        try #require(symlink(elsewhere, lab.folder.place("pki/ca.key")) == 0)
        #expect(code { _ = try lab.issue(.control, "desk") } == .permissions)
        try lab.folder.remove("pki/ca.key")
        try #require(mkfifo(lab.folder.place("pki/ca.key"), 0o600) == 0)
        #expect(code { _ = try lab.issue(.control, "desk") } == .permissions)
        try lab.folder.remove("pki/ca.key")
        _ = try lab.folder.make("pki/ca.key")
        #expect(code { _ = try lab.issue(.control, "desk") } == .permissions)
    }

    @Test(.enabled(if: geteuid() == 0, "only root can give files to another user"))
    func `what belongs to another user is not used`() throws {
        let lab = try Lab()
        try #require(chown(lab.folder.place("pki/ca.key"), 12_345, 12_345) == 0)
        #expect(code { _ = try lab.issue(.control, "desk") } == .permissions)
        try #require(chown(lab.folder.place("pki/ca.key"), 0, 0) == 0)
        _ = try lab.issue(.control, "desk")
        try #require(chown(lab.folder.place("pki/ca.pem"), 12_345, 12_345) == 0)
        #expect(code { _ = try Authority(openingAt: lab.authority.path) } == .permissions)
        try #require(chown(lab.folder.place("pki/ca.pem"), 0, 0) == 0)
        try #require(chown(lab.folder.place("pki"), 12_345, 12_345) == 0)
        #expect(code { _ = try lab.issue(.control, "desk") } == .permissions)
        #expect(code { _ = try Authority(openingAt: lab.authority.path) } == .permissions)
    }
}
