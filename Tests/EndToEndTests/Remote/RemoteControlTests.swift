import FoundationEssentials
import Glibc
import JSON
import Testing

/// `--control https://…`: the command line from elsewhere, with a token.
@Suite struct RemoteControlTests {
    private static func code(_ run: CLIRun) throws -> String? {
        try run.outputLines.last.flatMap { try JSONValue(parsing: $0)["code"]?.stringValue }
    }

    @Test func `roles hold over https, refusals are logged without the token`() async throws {
        try await CLIHome.with { home in
            let lab = try await RemoteLab.open(in: home)
            let view = try await lab.token("watcher", "view")
            let admin = try await lab.token("boss", "admin", "--expires", "1h")
            #expect(try await lab.away(view, "ps", "--json").status == 0)
            let refused = try await lab.away(view, "suspend", "lab", "--json")
            #expect(refused.status == 3)
            #expect(try Self.code(refused) == "role-insufficient")
            #expect(try Self.code(try await lab.away(view, "token", "ls", "--json")) == "role-insufficient")
            let list = try await lab.away(admin, "token", "ls", "--json")
            let names = try JSONValue(parsing: list.output)["tokens"]?.arrayValue?.compactMap {
                $0["name"]?.stringValue
            }
            #expect(names == ["boss", "watcher"])
            // The one that exists, by another who may.
            #expect(try await lab.away(admin, "token", "revoke", "watcher").status == 0)
            #expect(try Self.code(try await lab.away(view, "ps", "--json")) == "token-unknown")
            #expect(try Self.code(try await lab.away("fermata_0", "ps", "--json")) == "token-unknown")
            for word in ["role-insufficient", "token-unknown", "token watcher"] {
                #expect(home.log.contains(word), "\(home.log)")
            }
            for token in [view, admin] { #expect(!home.log.contains(token.dropFirst(8))) }
        }
    }

    @Test func `a token comes from a file that nobody else can read`() async throws {
        try await CLIHome.with { home in
            let lab = try await RemoteLab.open(in: home)
            let file = try home.file("token", "\(try await lab.token("ci", "view"))\n")
            chmod(file, 0o644)
            let open = try await lab.away(nil, "ps", "--json", more: ["FERMATA_TOKEN_FILE": file])
            #expect(open.status == 2)
            #expect(try Self.code(open) == "token-unusable")
            chmod(file, 0o600)
            #expect(try await lab.away(nil, "ps", more: ["FERMATA_TOKEN_FILE": file]).status == 0)
            #expect(try Self.code(try await lab.away(nil, "ps", "--json")) == "token-missing")
            #expect(try Self.code(try await lab.away("two words", "ps", "--json")) == "token-unusable")
        }
    }

    @Test func `a server that does not prove who it is gets nothing`() async throws {
        try await CLIHome.with { home in
            let lab = try await RemoteLab.open(in: home, listen: "0.0.0.0")
            let token = try await lab.token("ci", "admin")
            let other = "\(home.folder)/other"
            let made = try await CLIRun.fermata(["pki", "init"], in: home, environment: ["FERMATA_HOME": other])
            #expect(made.status == 0)
            let cases: [(String, String, String)] = [
                // Another authority's, a name that is not in the certificate, none at all, and no TLS.
                (lab.url, "\(other)/pki/ca.pem", "control-not-trusted"),
                ("https://127.0.0.2:\(lab.port)", lab.authority, "control-not-trusted"),
                (lab.url, "", "control-ca-missing"), (lab.url, "/nowhere/ca.pem", "file-not-readable"),
                (lab.url, "\(home.path)/trust/desk.pem", "pki-certificate"),
                ("http://localhost:\(lab.port)", lab.authority, "invalid-control"),
                ("https://localhost", lab.authority, "invalid-control"),
                ("https://user@localhost:\(lab.port)", lab.authority, "invalid-control"),
                ("https://localhost:1", lab.authority, "daemon-unreachable"),
            ]
            for (url, authority, code) in cases {
                let environment = ["FERMATA_CONTROL": url, "FERMATA_CONTROL_CA": authority]
                let run = try await lab.away(token, "ps", "--json", more: environment)
                #expect(run.status != 0)
                #expect(try Self.code(run) == code, "\(url) \(authority): \(run.errors)")
            }
            // Options come before the environment.
            let run = try await lab.away(
                token,
                "ps",
                "--control",
                lab.url,
                "--control-ca",
                "home/pki/ca.pem",
                more: ["FERMATA_CONTROL": "https://localhost:1", "FERMATA_CONTROL_CA": "/nowhere"]
            )
            #expect(run.status == 0, "\(run.errors)")
        }
    }

    @Test func `a name that only leads to the certificate's address gets no token`() async throws {
        try await CLIHome.with { home in
            let lab = try await RemoteLab.open(in: home, addresses: ["127.0.0.1"])
            let token = try await lab.token("ci", "admin")
            let named = try await lab.away(token, "ps", "--json")
            #expect(try Self.code(named) == "control-not-trusted", "\(named.output)\(named.errors)")
            #expect(named.errors.contains("'localhost'"), "\(named.errors)")
            let addressed = ["FERMATA_CONTROL": "https://127.0.0.1:\(lab.port)"]
            #expect(try await lab.away(token, "ps", more: addressed).status == 0)
        }
    }

    @Test func `a hypervisor's certificate gets no token, though it is of the same authority`() async throws {
        try await CLIHome.with { home in
            let lab = try await RemoteLab.open(in: home)
            let agent = "\(home.folder)/agent"
            mkdir(agent, 0o700)
            let issue = try await lab.owner(
                "pki",
                "issue",
                "hypervisor",
                "lab2",
                "--address",
                "localhost",
                "--out",
                "\(agent)/trust"
            )
            #expect(issue.status == 0, "\(issue.errors)")
            let token = try await lab.token("ci", "admin")
            let served = home.folder + "/received"
            // Whatever answers with it at that port.
            let script = """
                import ssl, socket, sys
                context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
                context.load_cert_chain("\(agent)/trust/lab2.pem")
                listener = socket.socket()
                listener.bind(("127.0.0.1", 0))
                listener.listen()
                open("\(served).port", "w").write(str(listener.getsockname()[1]))
                connection, _ = listener.accept()
                connection.settimeout(60)
                received = b""
                try:
                    with context.wrap_socket(connection, server_side=True) as stream:
                        while chunk := stream.recv(4096):
                            received += chunk
                except OSError:
                    pass
                open("\(served).new", "wb").write(received)
                import os
                os.rename("\(served).new", "\(served)")
                """
            let file = try home.file("server.py", script)
            let server = try BackgroundProgram(["/usr/bin/python3", file])
            defer { server.kill() }
            var port = ""
            try await FaultLab.wait(for: "the server") {
                port = (try? String(contentsOfFile: "\(served).port", encoding: .utf8)) ?? ""
                return !port.isEmpty
            }
            let run = try await lab.away(token, "ps", "--json", more: ["FERMATA_CONTROL": "https://localhost:\(port)"])
            #expect(try Self.code(run) == "control-not-trusted", "\(run.errors)")
            #expect(run.errors.contains("hypervisor lab2"), "\(run.errors)")
            try await FaultLab.wait(for: "the connection's end") { FileManager.default.fileExists(atPath: served) }
            #expect(FileManager.default.contents(atPath: served)?.isEmpty == true)
        }
    }

    @Test func `what makes sense only on the control instance's host is refused in words`() async throws {
        try await CLIHome.with { home in
            let lab = try await RemoteLab.open(in: home)
            let token = try await lab.token("ci", "admin")
            for arguments in [["console"], ["serve"], ["serve", "--stop"]] {
                let run = try await CLIRun.fermata(
                    arguments + ["--json"],
                    in: home,
                    environment: lab.environment(token)
                )
                #expect(run.status == 2)
                #expect(try Self.code(run) == "local-only")
                #expect(run.errors.contains(lab.url))
            }
            #expect(try await lab.away(token, "ps").status == 0)
        }
    }

    @Test func `a daemon that cannot serve over TLS says why, and does not begin`() async throws {
        try await CLIHome.with { home in
            let environment = ["FERMATA_LISTEN": "127.0.0.1:0"]
            let none = try await CLIRun.fermata(["serve", "--json"], in: home, environment: environment)
            #expect(none.status == 1)
            #expect(try Self.code(none) == "pki-missing", "\(none.output)")
            #expect(none.errors.contains("fermata pki issue control"))
            let wrong = try await CLIRun.fermata(
                ["serve", "--json"],
                in: home,
                environment: ["FERMATA_LISTEN": "7444"]
            )
            #expect(try Self.code(wrong) == "listen-invalid")
            let lab = try await RemoteLab.open(in: home)
            #expect(try await lab.owner("serve", "--stop").status == 0)
            let taken = try await CLIRun.fermata(
                ["serve", "--json"],
                in: home,
                environment: ["FERMATA_LISTEN": "192.0.2.1:7444"]
            )
            #expect(try Self.code(taken) == "listen-failed", "\(taken.output)\(taken.errors)")
        }
    }

    @Test func `what a revoked token has open ends`() async throws {
        try await CLIHome.with { home in
            let lab = try await RemoteLab.open(in: home)
            let token = try await lab.token("watcher", "view")
            let out = "\(home.folder)/events"
            let script = """
                import http.client, os, ssl
                context = ssl.create_default_context(cafile="\(lab.authority)")
                # Python 3.13 asks authorities for more than TLS does.
                context.verify_flags &= ~getattr(ssl, "VERIFY_X509_STRICT", 0)
                connection = http.client.HTTPSConnection("localhost", \(lab.port), context=context)
                connection.request("GET", "/v1/events", headers={"Authorization": "Bearer " + os.environ["TOKEN"]})
                answer = connection.getresponse()
                answer.read1(10)
                open("\(out).begun", "w").write(str(answer.status))
                try:
                    while answer.read1(100):
                        pass
                except (OSError, http.client.HTTPException):
                    pass
                open("\(out).ended", "w").write("ended")
                """
            let file = try home.file("follow.py", script)
            let client = try BackgroundProgram(["/usr/bin/python3", file], ["TOKEN": token])
            defer { client.kill() }
            try await FaultLab.wait(for: "events") { FileManager.default.fileExists(atPath: "\(out).begun") }
            #expect(try await lab.owner("token", "revoke", "watcher").status == 0)
            try await FaultLab.wait(for: "their end") { FileManager.default.fileExists(atPath: "\(out).ended") }
        }
    }

    /// Two real machines, and everything that goes another way than on the socket: bodies that are streams, leases, files.
    @Test func `all of a lab's life goes over https`() async throws {
        try await CLIHome.with { home in
            try await FaultLab.with(FaultLab.Bed(ram: "file"), in: home) { fault in
                let lab = try await RemoteLab.open(in: home, settings: fault.settings)
                let admin = try await lab.token("boss", "admin")
                let operate = try await lab.token("ci", "operate")
                let manifest = try home.file(
                    "lab.yaml",
                    """
                    simulation: lab
                    machines:
                      alpha: {qemu: \(fault.bed.qemu.path), machine: pc, memory: 32M, ram: file}
                      beta: {qemu: \(fault.bed.qemu.path), machine: pc, memory: 32M, ram: file}

                    """
                )
                let refused = try await lab.away(operate, "up", manifest, "--json")
                #expect(try Self.code(refused) == "role-insufficient")
                _ = try await lab.done(admin, "up", manifest)
                _ = try await lab.done(operate, "suspend", "lab@base", "--sealed")
                _ = try await lab.done(
                    operate,
                    "run",
                    "lab@base",
                    "--",
                    "sh",
                    "-c",
                    "env > \(home.folder)/env; fermata --version || true"
                )
                let variables = try String(contentsOfFile: "\(home.folder)/env", encoding: .utf8)
                #expect(variables.contains("FERMATA_MACHINES=alpha beta"))
                // Sockets of the control instance's host, wherever that is.
                #expect(!variables.contains("_SERIAL0="))
                _ = try await lab.done(operate, "export", "lab@base", "\(home.folder)/base.fermata")
                _ = try await lab.done(admin, "import", "\(home.folder)/base.fermata", "--as", "lab2@copy")
                _ = try await lab.done(operate, "resume", "lab2@copy")
                _ = try await lab.done(operate, "down", "lab2")
                let simulations = try JSONValue(parsing: try await lab.done(operate, "ps", "--json").output)[
                    "simulations"
                ]
                #expect(
                    simulations?.arrayValue?.compactMap { $0["simulation"]?.stringValue }.sorted() == ["lab", "lab2"]
                )
            }
        }
    }
}
