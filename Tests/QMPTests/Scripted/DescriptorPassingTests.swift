import Glibc
import JSON
import QMP
import Testing

@Suite struct DescriptorPassingTests {
    @Test func `descriptors arrive with their own command, however many commands run at once`() async throws {
        let monitor = try ScriptedMonitor { peer in
            peer.negotiate()
            while let message = peer.receive() {
                // As QEMU does: they stay until a command takes them. Two at once would be the mix-up.
                guard message["execute"] == "getfd" else {
                    peer.reply(to: message)
                    continue
                }
                var status = stat()
                let inodes = peer.takeDescriptors().map { descriptor -> JSONValue in
                    fstat(descriptor, &status)
                    close(descriptor)
                    return JSONValue(UInt64(status.st_ino))
                }
                peer.reply(to: message, .array(inodes))
            }
        }
        let connection = try await monitor.connect()
        let folder = TemporaryFolder()
        try await withThrowingTaskGroup(of: Void.self) { group in
            for number in 0..<20 {
                group.addTask {
                    let descriptor = open(folder.file("\(number)"), O_CREAT | O_RDWR | O_CLOEXEC, 0o600)
                    var status = stat()
                    fstat(descriptor, &status)
                    let answer = try await connection.execute(QMPCommand("getfd"), descriptors: [descriptor])
                    #expect(answer == [JSONValue(UInt64(status.st_ino))])
                    close(descriptor)
                }
                group.addTask {
                    let other = try await connection.execute(QMPCommand("other"))
                    #expect(other == [:])
                }
            }
            try await group.waitForAll()
        }
    }

    @Test func `a number that is no descriptor is refused before anything leaves`() async throws {
        let monitor = try ScriptedMonitor { peer in
            peer.negotiate()
            if let message = peer.receive() { peer.reply(to: message, message["execute"] ?? .null) }
            _ = peer.receive()
        }
        let connection = try await monitor.connect()
        let error = await failure { try await connection.getfd(name: "x", descriptor: 1_000_000) }
        #expect(error?.code == .system(step: "duplicating descriptor 1000000", errno: EBADF))
        #expect(error?.command == "getfd")
        #expect(try await connection.execute(QMPCommand("next")) == "next")
    }
}
