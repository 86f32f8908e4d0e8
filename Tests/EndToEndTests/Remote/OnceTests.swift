import FoundationEssentials
import JSON
import Testing

/// A key's operation over the life of a daemon, with a real machine.
@Suite struct OnceTests {
    /// Sends it to the control instance's socket, as a program that knows no fermata does.
    private static func ask(_ lab: FaultLab, _ key: String, _ name: String) async throws -> String {
        let out = "\(lab.home.folder)/answer-\(UUID().uuidString)"
        let script = """
            import os, socket
            body = b'{"checkpoint": "\(name)"}'
            head = ("POST /v1/simulations/lab/checkpoint HTTP/1.1\\r\\nHost: x\\r\\nConnection: close\\r\\n"
                    "Idempotency-Key: \(key)\\r\\nContent-Length: %d\\r\\n\\r\\n" % len(body))
            connection = socket.socket(socket.AF_UNIX)
            connection.connect("\(lab.home.socket)")
            connection.sendall(head.encode() + body)
            answer = b""
            while chunk := connection.recv(65536):
                answer += chunk
            open("\(out).new", "wb").write(answer)
            os.rename("\(out).new", "\(out)")
            """
        let client = try BackgroundProgram(["/usr/bin/python3", try lab.home.file("ask.py", script)])
        defer { client.kill() }
        try await FaultLab.wait(for: "an answer") { FileManager.default.fileExists(atPath: out) }
        return try String(contentsOfFile: out, encoding: .utf8)
    }

    private static func operation(_ answer: String) throws -> String {
        let body = answer.split(separator: "\r\n\r\n", maxSplits: 1).last ?? ""
        return try #require(try JSONValue(parsing: String(body))["operation"]?.stringValue, "\(answer)")
    }

    @Test func `a key stands for its operation in the next daemon, too`() async throws {
        try await FaultLab.with(FaultLab.Bed(ram: "file")) { lab in
            let manifest = try lab.home.file(
                "lab.yaml",
                """
                simulation: lab
                machines:
                  alpha: {qemu: \(lab.bed.qemu.path), machine: pc, memory: 32M, ram: file}

                """
            )
            try await lab.done("up", manifest)
            let first = try Self.operation(try await Self.ask(lab, "k", "one"))
            #expect(try Self.operation(try await Self.ask(lab, "k", "one")) == first)
            try await lab.killDaemon()
            try await lab.done("ps")
            let again = try await Self.ask(lab, "k", "one")
            #expect(try Self.operation(again) == first)
            #expect(again.lowercased().contains("idempotency-replayed: true"))
            #expect(try await Self.ask(lab, "k", "two").contains("key-reused"))
            let other = try await Self.ask(lab, "l", "three")
            #expect(try Self.operation(other) != first)
        }
    }
}
