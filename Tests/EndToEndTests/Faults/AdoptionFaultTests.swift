import Glibc
import Testing

extension FaultTests {
    /// `adopt` of something that is no QEMU, or one that goes away.
    @Suite struct AdoptionFaultTests {
        @Test(arguments: ["no address", "missing", "HTTP", "closed", "half a greeting", "garbage", "silent"])
        func `a monitor that is none is told in a sentence, and no machine appears`(_ kind: String) async throws {
            try await FaultLab.with { lab in
                let socket = kind == "no address" ? "tcp:nowhere" : "\(lab.home.folder)/monitor"
                let talker: Talker? =
                    switch kind {
                    case "HTTP":
                        try Talker(
                            at: socket,
                            says: "HTTP/1.1 400 Bad Request\r\nContent-Length: 0\r\n\r\n",
                            hangsUp: true
                        )
                    case "closed": try Talker(at: socket, says: "", hangsUp: true)
                    case "half a greeting":
                        try Talker(at: socket, says: #"{"QMP": {"version": {"qemu": {"mi"#, hangsUp: true)
                    case "garbage": try Talker(at: socket, says: "\u{0}\u{7F}\u{1}]]]}\r\n", hangsUp: false)
                    case "silent": try Talker(at: socket, says: "", hangsUp: false)
                    default: nil
                    }
                defer { talker?.stop() }
                let adopt = try await lab.fermata("adopt", FaultLab.name, "alpha", socket)
                #expect(adopt.status == (kind == "no address" ? 2 : 3), "\(adopt)")
                #expect(adopt.messages.contains(socket), "\(adopt)")
                #expect(try await lab.state() == nil)
                lab.expectSettled(kind)
            }
        }
    }
}
