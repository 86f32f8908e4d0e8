import Glibc
import JSON
import Testing

extension FaultTests {
    /// A monitor that was good goes away while the QEMU behind it lives.
    @Suite struct MonitorLossTests {
        static let running = ["alpha": "running", "beta": "running"]

        @Test(arguments: FaultLab.QEMU.present)
        func `a monitor that hangs up after any of adopt's questions is told in a sentence, and no machine appears`(
            _ qemu: FaultLab.QEMU
        ) async throws {
            try await FaultLab.with(qemu) { lab in
                try await lab.up()
                var answered = 0
                while answered < 100 {
                    let socket = "\(lab.home.folder)/cut-\(answered)"
                    let monitor = try CutMonitor(at: socket, before: lab.probe("alpha"), after: answered)
                    defer { monitor.stop() }
                    let adopt = try await lab.fermata("adopt", "other", "gamma", socket)
                    let what = "hung up after \(answered) commands: \(adopt)"
                    #expect(adopt.status == 3, "\(what)")
                    #expect(adopt.run.errors.contains(socket), "\(what)")
                    try await lab.expect(Self.running, what)
                    let known = try await lab.done("ps").result["simulations"]?.arrayValue ?? []
                    #expect(known.count == 1, "\(what)")
                    // All that it asks was answered; that this process is no QEMU is another matter.
                    if adopt.codes.contains("adopt-process-unknown") { break }
                    answered += 1
                }
                #expect(answered > 5 && answered < 100, "\(answered) questions")
                print("adopt asked QEMU \(qemu.rawValue) \(answered) questions, and each was cut off once")
                try await lab.done("suspend", FaultLab.name)
            }
        }

        @Test(arguments: FaultLab.QEMU.present)
        func `a monitor's socket that was deleted stops nobody who is connected, and is named to who is not`(
            _ qemu: FaultLab.QEMU
        ) async throws {
            try await FaultLab.with(qemu) { lab in
                try await lab.up()
                let shown = try await lab.done("show", FaultLab.name).result["machines"]?.arrayValue
                let alpha = try #require(shown?.first { $0["name"]?.stringValue == "alpha" })
                let socket = try #require(alpha["monitor"]?.stringValue).replacing("unix:", with: "")
                #expect(unlink(socket) == 0, "\(socket): errno \(errno)")
                try await lab.done("suspend", "\(FaultLab.name)@first")
                try await lab.expect([:], "with the connection that there was")
                try await lab.done("resume", FaultLab.name)

                #expect(unlink(socket) == 0, "\(socket): errno \(errno)")
                try await lab.killDaemon()
                let suspend = try await lab.fermata("suspend", "\(FaultLab.name)@second")
                #expect(suspend.status == 3, "\(suspend)")
                #expect(suspend.names("alpha"), "\(suspend)")
                #expect(suspend.messages.contains(socket), "\(suspend)")
                #expect(lab.checkpoints == ["first"], "\(suspend)")
                try await lab.expect(Self.running, "\(suspend)")
                try await lab.expectWhole("first", "\(suspend)")
                try await lab.done("down", FaultLab.name)
                try await lab.expect([:], "after down")
            }
        }
    }
}
