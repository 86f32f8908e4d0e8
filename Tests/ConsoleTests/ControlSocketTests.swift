import Glibc
import Testing

@testable import Console

/// The socket is its user's alone, and one daemon's.
@Suite struct ControlSocketTests {
    @Test func `a folder is made private, also one that was open`() throws {
        try withFolder { folder in
            let open = "\(folder)/state"
            #expect(mkdir(open, 0o755) == 0)
            #expect(chmod(open, 0o755) == 0)
            try ControlSocket(path: "\(open)/s").claim()
            #expect(mode(of: open) == 0o700)
            try ControlSocket(path: "\(folder)/new/s").claim()
            #expect(mode(of: "\(folder)/new") == 0o700)
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
        return stat(path, &status) == 0 ? status.st_mode & 0o777 : nil
    }
}
