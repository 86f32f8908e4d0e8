import ControlInstance
import HypervisorAPI
import Testing

extension MainJobTests {
    /// The same on the control instance's own host and on another one. With the newer QEMU only: what a log and a socket are is the same.
    @Test(
        "A guest is heard and typed to through the control instance, over a suspend and a resume",
        arguments: [Lab.Hosts.own, .other]
    )
    func serialConsole(_ hosts: Lab.Hosts) async throws {
        let release = try #require(LabManifest.releases.last)
        try await Lab.with(hosts: hosts) { lab in
            try #require(try await lab.up(LabManifest.idle(release)).outcome == .done)
            let tell = { (text: String) in
                try await lab.control.writeSerial(Array(text.utf8), to: nil, of: "guest", in: "idle")
            }
            let stream = try await lab.control.followSerial(nil, of: "guest", in: "idle", from: 0)
            var listener = SerialListener(stream)
            try await listener.hear("\"event\":\"ready\"")
            try await tell("clocks first\n")
            try await listener.hear("\"tag\":\"first\"")

            try #require(try await lab.suspend("idle", as: "s1").outcome == .done)
            try await listener.become(.stopped)
            await #expect(throws: ControlError.self) { try await tell("nobody is there\n") }
            try #require(try await lab.resume("idle", "s1").outcome == .done)
            try await listener.become(.connected)
            try await tell("clocks second\n")
            try await listener.hear("\"tag\":\"second\"")

            // Each byte once, over both processes.
            let log = try TemporaryFolder.contents(of: lab.file("logs/idle/guest/serial0.log"))
            #expect(log.starts(with: listener.heard) && listener.heard.count > 300)
            // Who comes back goes on in the middle.
            let rest = try await lab.control.followSerial(0, of: "guest", in: "idle", from: 300)
            var other = SerialListener(rest)
            try await other.hear("\"tag\":\"second\"")
            #expect(log.dropFirst(300).starts(with: other.heard))
        }
    }
}
