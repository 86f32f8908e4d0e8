import ControlInstance
import HTTPTypes
import Testing

@testable import Console

/// The two paths whose bodies are archives.
@Suite struct TransferRequestTests {
    @Test(arguments: [
        ("", ImportRequest()), ("?as=lab", ImportRequest(simulation: "lab")),
        ("?as=lab@s1", ImportRequest(simulation: "lab", checkpoint: "s1")),
        (
            "?as=lab%40s1&qemu=%2Fusr%2Fbin%2Fa%20b&qemu=/c",
            ImportRequest(simulation: "lab", checkpoint: "s1", binaries: ["/usr/bin/a b", "/c"])
        ),
        ("?host=bmc%3Dlab2&host=x%3DLab3.example", ImportRequest(hosts: ["bmc": "lab2", "x": "Lab3.example"])),
    ])
    func `an import says what to call it and which QEMU to use`(_ query: String, _ expected: ImportRequest) async throws
    {
        let control = ScriptedControl()
        try await RouterClient.with(control) { client async throws in
            let reply = try await client.send(.post, "/v1/import\(query)", "archive", headers: [:])
            #expect(reply.status == 404)
            #expect(control.seen.imports == [expected])
        }
    }

    @Test(arguments: [
        "?as=Lab", "?as=lab@", "?as=@s1", "?as=lab@s1@s2", "?name=lab", "?as=lab&x=1", "?host=bmc", "?host=bmc%3D",
        "?host=%3Dlab2", "?host=bmc%3Da&host=bmc%3Db",
    ])
    func `a wrong query is refused`(_ query: String) async throws {
        let control = ScriptedControl()
        try await RouterClient.with(control) { client async throws in
            let reply = try await client.send(.post, "/v1/import\(query)", "archive", headers: [:])
            #expect(reply.status == 400)
            #expect(try reply.problem().exitCode == 2)
            #expect(control.seen.imports.isEmpty)
        }
    }

    @Test func `a move says which machines go where`() async throws {
        let control = ScriptedControl()
        let path = "/v1/simulations/lab/checkpoints/s1/move"
        try await RouterClient.with(control) { client async throws in
            let body = #"{"hosts": {"bmc": "lab2"}, "checkpoint": "s9", "qemu": ["/usr/bin/q"]}"#
            #expect(try await client.send(.post, path, body).status == 404)
            let expected = MoveRequest(
                simulation: "lab",
                checkpoint: "s1",
                newCheckpoint: "s9",
                hosts: ["bmc": "lab2"],
                binaries: ["/usr/bin/q"]
            )
            #expect(control.seen.moves == [expected])
            for wrong in ["{}", #"{"hosts": {}, "host": 1}"#, #"{"hosts": {}, "checkpoint": "S1"}"#] {
                #expect(try await client.send(.post, path, wrong).status == 400, "\(wrong)")
            }
            #expect(control.seen.moves == [expected])
        }
    }

    @Test func `why there is no archive is told before its first byte`() async throws {
        let error = ControlError(code: "checkpoint-corrupt", message: "a file is damaged")
        try await RouterClient.with(ScriptedControl(error: error)) { client async throws in
            let reply = try await client.send(.get, "/v1/simulations/lab/checkpoints/s1/archive")
            #expect(reply.status == 422)
            #expect(try reply.problem().exitCode == 6)
        }
    }
}
