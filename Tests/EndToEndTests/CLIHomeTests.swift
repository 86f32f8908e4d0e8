import FoundationEssentials
import Glibc
import JSON
import Testing

/// The state folder is its user's alone, and has one name.
@Suite struct CLIHomeTests {
    @Test func `the state folder is the same by whatever name it is given`() async throws {
        try await CLIHome.with { home in
            #expect(mkdir(home.path, 0o700) == 0)
            let link = "\(home.folder)/link"
            #expect(symlink(home.folder, link) == 0)
            for name in [
                "\(link)/home/", "\(home.folder)/./home",
                "link/../\(home.folder.split(separator: "/").last ?? "")/home",
            ] {
                let run = try await CLIRun.fermata(["doctor", "--json"], in: home, environment: ["FERMATA_HOME": name])
                #expect(try JSONValue(parsing: run.output)["home"]?.stringValue == home.path, "\(name): \(run.errors)")
                let stop = try await CLIRun.fermata(["serve", "--stop"], in: home)
                #expect(stop.status == 0, "\(stop.errors)")
                for _ in 0..<500 where home.daemon != nil { try await Task.sleep(for: .milliseconds(10)) }
            }
        }
    }

    @Test func `a state folder that others may write to is refused and left as it is`() async throws {
        try await CLIHome.with { home in
            #expect(mkdir(home.path, 0o700) == 0 && chmod(home.path, 0o777) == 0)
            try await refused(home)
            var status = stat()
            #expect(stat(home.path, &status) == 0 && status.st_mode & 0o777 == 0o777)
        }
    }

    @Test(.enabled(if: geteuid() == 0, "only root can make another user's folder"))
    func `a state folder of another user is refused before anything in it is believed`() async throws {
        try await CLIHome.with { home in
            #expect(mkdir(home.path, 0o700) == 0 && chown(home.path, 65_534, 65_534) == 0)
            try await refused(home)
        }
    }

    private func refused(_ home: CLIHome) async throws {
        for verb in [["ps", "--json"], ["serve", "--json"]] {
            let run = try await CLIRun.fermata(verb, in: home)
            #expect(run.status == 1 && home.daemon == nil, "\(verb): \(run.errors)")
            #expect((run.output + run.errors).contains("home-not-private"), "\(verb): \(run.output)\(run.errors)")
        }
        #expect(try FileManager.default.contentsOfDirectory(atPath: home.path).isEmpty)
    }
}
