import ControlInstance
import Glibc
import HypervisorAPI
import Testing
import Time

extension MainJobTests {
    @Test(
        "A launched machine's folder and sockets are its user's alone, and its process is confined, before and after a resume",
        arguments: LabManifest.releases
    )
    func privacy(_ release: QEMUUnderTest) async throws {
        try await Lab.with { lab in
            let spec = try LabManifest.bare(release)
            let sandbox = try Shell.output("'\(spec.machines[0].qemu)' -help").contains("-sandbox on")
            if !sandbox { print("SKIPPED: seccomp on QEMU \(release): it has no -sandbox") }
            try #require(try await lab.up(spec).outcome == .done)
            try await expectPrivate("started", lab, sandbox: sandbox)
            try #require(try await lab.suspend("bare").outcome == .done)
            try #require(try await lab.resume("bare").outcome == .done)
            try await expectPrivate("resumed", lab, sandbox: sandbox)
        }
    }

    private func expectPrivate(_ step: String, _ lab: Lab, sandbox: Bool) async throws {
        let machine = try #require(try await lab.machines(of: "bare")["pc"])
        let monitor = String(machine.monitor.dropFirst("unix:".count))
        let folder = String(monitor[..<(monitor.lastIndex(of: "/") ?? monitor.endIndex)])
        #expect(folder.hasPrefix("\(lab.folder.path)/machines/"), "\(monitor)")
        // Nobody else comes past the folder, whatever the modes in it.
        #expect(try status(folder).st_mode & 0o7777 == 0o700, "\(step): \(folder)")
        #expect(try status(folder).st_uid == geteuid())
        for socket in [monitor] + machine.serialSockets {
            #expect(socket.hasPrefix("\(folder)/"), "\(step)")
            #expect(try status(socket).st_mode & S_IFMT == S_IFSOCK, "\(step): \(socket)")
        }
        let process = try #require(machine.processID)
        let lines = String(decoding: try TemporaryFolder.contents(of: "/proc/\(process)/status"), as: UTF8.self)
            .split(separator: "\n")
        let seccomp = lines.first { $0.hasPrefix("Seccomp:") }?.split(separator: "\t").last
        #expect(!sandbox || seccomp == "2", "\(step): Seccomp \(seccomp ?? "not told")")
        // Nothing that somebody else could connect to: no network socket at all.
        let open = try Shell.output("ls -l /proc/\(process)/fd")
        let own = Set(open.split(separator: "\n").compactMap { $0.split(separator: "socket:[").last?.dropLast() })
        for table in ["tcp", "tcp6", "udp", "udp6"] {
            let text = String(
                decoding: try TemporaryFolder.contents(of: "/proc/\(process)/net/\(table)"),
                as: UTF8.self
            )
            let inodes = text.split(separator: "\n").dropFirst().compactMap { line -> Substring? in
                let words = line.split(separator: " ")
                return words.count > 9 ? words[9] : nil
            }
            #expect(inodes.allSatisfy { !own.contains($0) }, "\(step): a socket of \(table)")
        }
    }

    private func status(_ path: String) throws -> stat {
        var status = stat()
        guard lstat(path, &status) == 0 else { throw TestSupportError("no \(path): errno \(errno)") }
        return status
    }
}
