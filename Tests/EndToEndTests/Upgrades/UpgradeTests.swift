import FoundationEssentials
import Glibc
import JSON
import Testing

/// What this release makes of what older ones have left, and of what it must leave to newer ones.
@Suite(.serialized, .enabled(if: RecordedHome.canRun, "QEMU 7.2 and 10.0 for Arm are needed (tools/setup.sh)"))
struct UpgradeTests {
    @Test(arguments: RecordedHome.all)
    func `a state folder of an older release goes on, and so do its machines`(_ recorded: RecordedHome) async throws {
        try await recorded.with { lab in
            let content = try RecordedHome.content(of: lab.home)
            let operations = content["operations"]?.arrayValue?.compactMap { $0["id"]?.stringValue } ?? []
            let checkpoint = CheckpointFiles(of: lab, "first")
            let before = try checkpoint.contents()
            #expect(try await lab.state() == "suspended")
            let log = try await lab.done("log", "old").result["checkpoints"]?.arrayValue ?? []
            #expect(log.compactMap { $0["checkpoint"]?.stringValue }.sorted() == ["first", "second"])
            for operation in operations {
                let shown = try await lab.request("/v1/operations/\(operation)")
                #expect(shown.contains(operation), "\(operation): \(shown)")
            }
            for name in ["first", "second"] { try await lab.done("verify", "old@\(name)") }
            try await lab.done("resume", "old@first")
            // Each goes on behind the last count that it had said: one that had begun anew would say 1.
            for machine in RecordedHome.machines {
                let last = try #require(content["ticks"]?["first"]?[machine]?.int64Value)
                try await FaultLab.wait(for: "\(machine) to go on") { !lab.ticks(of: machine).isEmpty }
                let next = lab.ticks(of: machine)
                #expect((last...last + 1).contains(next[0] - 1), "\(machine) said \(last), and then \(next)")
            }
            // The new release saves it, too, and the old checkpoint is as it was.
            try await lab.done("suspend", "old@third")
            #expect(try checkpoint.contents() == before, "the checkpoint was written")
        }
    }

    @Test func `a checkpoint of a later format is refused and left as it is, whatever is done`() async throws {
        let recorded = try #require(RecordedHome.all.last)
        try await recorded.with { lab in
            let (first, second) = (CheckpointFiles(of: lab, "first"), CheckpointFiles(of: lab, "second"))
            try first.edit([("format", .integer(99))])
            // And one that the database does not know: a folder that was copied in.
            try second.edit([("format", .integer(99)), ("name", .string("third")), ("id", .string("FUTURE"))])
            let third = CheckpointFiles(of: lab, "third")
            try FileManager.default.moveItem(atPath: second.folder, toPath: third.folder)
            let before = try first.contents() + third.contents()
            for verb in ["resume", "verify", "show"] {
                let answer = try await lab.fermata(verb, "old@first")
                #expect(answer.status == 6 && answer.codes.contains("checkpoint-incompatible"), "\(verb): \(answer)")
                #expect(answer.messages.contains("format 99"), "\(answer)")
            }
            _ = try await lab.fermata("gc")
            try await lab.done("serve", "--stop")
            try await lab.done("ps")
            #expect(try first.contents() + third.contents() == before)
            #expect(lab.home.log.contains("old@third is of format 99"), "\(lab.home.log)")
        }
    }

    @Test func `a database of a newer release is refused and left as it is`() async throws {
        let recorded = try #require(RecordedHome.all.last)
        try await recorded.with { lab in
            try lab.sql("INSERT INTO grdb_migrations VALUES ('999: future')")
            let before = try lab.databaseDigest()
            let answer = try await lab.fermata("ps")
            #expect(answer.status == 1 && answer.messages.contains("newer release"), "\(answer)")
            let serve = try await lab.fermata("serve")
            #expect(serve.status == 1 && serve.codes == ["database-newer"], "\(serve)")
            #expect(try lab.databaseDigest() == before)
        }
    }

    @Test func `a daemon that is killed while it migrates leaves the old database to the next one`() async throws {
        let recorded = try #require(RecordedHome.all.first)
        try await recorded.with { lab in
            let before = try lab.databaseDigest()
            // Somebody who writes: the daemon has opened the file then, and waits for its turn.
            let file = "\(lab.home.path)/state.sqlite"
            let holder = try lab.home.file(
                "hold.py",
                """
                import sqlite3, sys, time
                held = sqlite3.connect(sys.argv[1], isolation_level=None)
                held.execute("BEGIN IMMEDIATE")
                open(sys.argv[2], "w").close()
                time.sleep(4)
                held.execute("ROLLBACK")

                """
            )
            let ready = "\(lab.home.folder)/held"
            let background = Task { try CheckpointFiles.shell("/usr/bin/python3 '\(holder)' '\(file)' '\(ready)'") }
            try await FaultLab.wait(for: "the lock") { access(ready, F_OK) == 0 }
            let answer = try await lab.follow("ps") { _ in
                try await FaultLab.wait(for: "a daemon with the database") {
                    lab.home.daemon.map { lab.hasOpen(file, $0) } ?? false
                }
                try await Task.sleep(for: .milliseconds(300))
                try await lab.killDaemon()
            }
            #expect(answer.status == 1, "\(answer)")
            _ = try await background.value
            #expect(try lab.databaseDigest() == before)
            #expect(try await lab.state() == "suspended")
            #expect(try lab.databaseDigest() != before)
        }
    }
}

extension FaultLab {
    /// What a guest has said since its last start, of its counts.
    fileprivate func ticks(of machine: String) -> [Int64] {
        let files = (try? FileManager.default.subpathsOfDirectory(atPath: home.path)) ?? []
        for file in files where file.hasSuffix("/\(machine)/serial0.log") {
            let text = (try? String(contentsOfFile: "\(home.path)/\(file)", encoding: .utf8)) ?? ""
            let counts = text.matches(of: #/"tick":(\d+)/#).compactMap { Int64($0.1) }
            if !counts.isEmpty { return counts }
        }
        return []
    }

    fileprivate func request(_ path: String) async throws -> String {
        try CheckpointFiles.shell(
            """
            /usr/bin/python3 -c 'import socket, sys
            connection = socket.socket(socket.AF_UNIX)
            connection.connect(sys.argv[1])
            connection.sendall(f"GET {sys.argv[2]} HTTP/1.0\\r\\nHost: localhost\\r\\nConnection: close\\r\\n\\r\\n".encode())
            print(connection.makefile("rb").read().decode())' '\(home.socket)' '\(path)'
            """
        )
    }

    fileprivate func sql(_ statement: String) throws {
        _ = try CheckpointFiles.shell(
            """
            /usr/bin/python3 -c 'import sqlite3, sys
            with sqlite3.connect(sys.argv[1]) as database: database.execute(sys.argv[2])' \
            '\(home.path)/state.sqlite' "\(statement)"
            """
        )
    }

    /// Of what counts: the file and its journal, if that has anything.
    fileprivate func databaseDigest() throws -> String {
        try CheckpointFiles.shell(
            "cd '\(home.path)' && find . -maxdepth 1 -name 'state.sqlite*' ! -name '*-shm' -size +0 | sort | xargs sha256sum"
        )
    }

    fileprivate func hasOpen(_ file: String, _ process: pid_t) -> Bool {
        Self.contents("/proc/\(process)/fd").contains { descriptor in
            var target = [CChar](repeating: 0, count: 4096)
            let count = readlink("/proc/\(process)/fd/\(descriptor)", &target, target.count - 1)
            return count > 0
                && String(decoding: target.prefix(count).map { UInt8(bitPattern: $0) }, as: UTF8.self) == file
        }
    }
}
