import Glibc
import Testing

@testable import Console

/// The socket is its user's alone, and one daemon's.
@Suite struct ControlSocketTests {
    @Test func `a folder that is not there is made for its user alone`() throws {
        try withFolder { folder in
            try ControlSocket(path: "\(folder)/new/s").claim()
            #expect(mode(of: "\(folder)/new") == 0o700)
        }
    }

    @Test(arguments: [0o755, 0o711, 0o1777])
    func `a folder that is there stays as it is`(_ wanted: mode_t) throws {
        try withFolder { folder in
            let shared = "\(folder)/run"
            #expect(mkdir(shared, 0o700) == 0 && chmod(shared, wanted) == 0)
            try ControlSocket(path: "\(shared)/s").claim()
            #expect(mode(of: shared) == wanted)
        }
    }

    @Test(arguments: [0o777, 0o775, 0o722])
    func `a folder in which others could replace the socket is refused`(_ wanted: mode_t) throws {
        try withFolder { folder in
            let shared = "\(folder)/run"
            #expect(mkdir(shared, 0o700) == 0 && chmod(shared, wanted) == 0)
            #expect(throws: ControlSocketError.openFolder(shared)) { try ControlSocket(path: "\(shared)/s").claim() }
            #expect(mode(of: shared) == wanted)
        }
    }

    @Test(.enabled(if: geteuid() == 0, "only root can make another user's folder"))
    func `what is another user's is refused and left alone`() throws {
        try withFolder { folder in
            let path = "\(folder)/s"
            close(try listen(at: path))
            #expect(chown(path, 65_534, 65_534) == 0)
            #expect(throws: ControlSocketError.foreignSocket(path)) { try ControlSocket(path: path).claim() }
            #expect(access(path, F_OK) == 0)
            #expect(chown(folder, 65_534, 65_534) == 0)
            #expect(throws: ControlSocketError.foreignFolder(folder)) { try ControlSocket(path: path).claim() }
        }
    }

    @Test func `the socket of a daemon that has gone is replaced`() throws {
        try withFolder { folder in
            let path = "\(folder)/s"
            close(try listen(at: path))
            let socket = try ControlSocket(path: path)
            #expect(try socket.state() == .stale)
            try socket.claim()
            #expect(try socket.state() == .absent)
        }
    }

    @Test func `the socket of a daemon that lives is refused and left alone`() throws {
        try withFolder { folder in
            let path = "\(folder)/s"
            let descriptor = try listen(at: path)
            defer { close(descriptor) }
            let socket = try ControlSocket(path: path)
            #expect(throws: ControlSocketError.inUse(path)) { try socket.claim() }
            #expect(try socket.state() == .live)
        }
    }

    @Test func `a file that is no socket is refused and left alone`() throws {
        try withFolder { folder in
            let path = "\(folder)/s"
            close(open(path, O_CREAT | O_WRONLY, 0o600))
            #expect(throws: ControlSocketError.notASocket(path)) { try ControlSocket(path: path).claim() }
            #expect(access(path, F_OK) == 0)
        }
    }

    @Test func `a path that the kernel would cut is refused`() throws {
        let longest = "/" + String(repeating: "a", count: 106)
        #expect(try ControlSocket(path: longest).path == longest)
        #expect(throws: ControlSocketError.pathTooLong(longest + "b")) { try ControlSocket(path: longest + "b") }
    }

    @Test func `a folder that cannot be made is an error that names it`() throws {
        let error = #expect(throws: ControlSocketError.self) { try ControlSocket(path: "/proc/none/s").claim() }
        #expect(error?.description.contains("/proc/none") == true)
    }

    private func mode(of path: String) -> mode_t? {
        var status = stat()
        return stat(path, &status) == 0 ? status.st_mode & 0o7777 : nil
    }
}
