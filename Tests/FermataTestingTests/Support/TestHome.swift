import FoundationEssentials
import Glibc
import Testing

@testable import FermataTesting

/// A state folder of a test's own, and a look at what is left in it.
struct TestHome: Sendable {
    /// A temporary folder; the state folder is in it.
    let folder: String
    var path: String { "\(folder)/home" }
    /// Where machines have their RAM: memory, of this home alone.
    var ramFolder: String { "/dev/shm/\(folder.split(separator: "/").last ?? "")" }

    static var cache: String {
        if let named = ProcessInfo.processInfo.environment["FERMATA_CACHE"] { return named }
        return "\(root)/.cache"
    }

    static let root = #filePath.split(separator: "/").dropLast(4).map { "/\($0)" }.joined()

    /// This process's program: the test bundle, beside which `swift build` puts `fermata`.
    static let bundle: String = {
        var buffer = [CChar](repeating: 0, count: 4096)
        let count = readlink("/proc/self/exe", &buffer, buffer.count - 1)
        return String(decoding: buffer.prefix(max(0, count)).map { UInt8(bitPattern: $0) }, as: UTF8.self)
    }()

    static let program =
        ProcessInfo.processInfo.environment["FERMATA_BINARY"]
        ?? "\(bundle[..<(bundle.lastIndex(of: "/") ?? bundle.startIndex)])/fermata"

    /// Whatever is left of daemons and machines ends with it, and fails the test.
    static func with(_ body: @Sendable (TestHome) async throws -> Void) async throws {
        var template = Array("/tmp/fermata-st-XXXXXX".utf8CString)
        try #require(mkdtemp(&template) != nil)
        let home = TestHome(folder: String(decoding: template.dropLast().map { UInt8(bitPattern: $0) }, as: UTF8.self))
        try FileManager.default.createDirectory(atPath: home.ramFolder, withIntermediateDirectories: true)
        do {
            try await body(home)
        } catch {
            await home.clear()
            throw error
        }
        await home.clear()
    }

    var environment: [String: String] {
        var environment = ProcessInfo.processInfo.environment
        environment["FERMATA_CONTROL"] = nil
        environment["FERMATA_DISCARD_FAILED"] = nil
        let own = [
            "HOME": folder, "FERMATA_HOME": path, "FERMATA_RAM_FOLDER": ramFolder, "FERMATA_CACHE": Self.cache,
            "FERMATA_BINARY": Self.program, "FERMATA_TESTS_AT_ONCE": "2", "FERMATA_CLOCK_ERROR": "1s",
        ]
        return environment.merging(own) { $1 }
    }

    /// What tests use: it ends with this process at the latest, and with this home before.
    func library(discardsFailed: Bool = false) -> Fermata {
        Fermata(program: Self.program, environment: environment, discardsFailed: discardsFailed)
    }

    @discardableResult
    func fermata(_ words: String...) async throws -> Data {
        try await Control(program: Self.program, environment: environment).run(words)
    }

    /// The states of all simulations, by name.
    func simulations() async throws -> [String: String] {
        struct List: Decodable {
            struct Entry: Decodable {
                let simulation: String
                let state: String
            }
            let simulations: [Entry]
        }
        let list = try JSONDecoder().decode(List.self, from: try await fermata("ps"))
        return Dictionary(list.simulations.map { ($0.simulation, $0.state) }) { $1 }
    }

    /// The manifest of a bare-metal machine `arm`, which is there at once and says `"tick":N,` once a second, from 1 on.
    func ticker() throws -> String {
        let path = "\(folder)/ticker.yaml"
        let text = """
            simulation: ticker
            machines:
              arm:
                {arch: aarch64, machine: virt, cpu: cortex-a53, memory: 32M, kernel: "\(Self.cache)/ticker/ticker-arm.elf",
                 serial: [log], rtc: {base: 2024-02-29T12:00:00Z, clock: vm}}

            """
        try Data(text.utf8).write(to: URL(filePath: path))
        return path
    }

    /// Runs tests of this bundle in a process of their own.
    /// - Parameter filter: a regular expression.
    func play(_ filter: String) async throws -> Program.Ended {
        var environment = environment
        environment["FERMATA_SCENES"] = try ticker()
        let words = ["--testing-library", "swift-testing", "--filter", filter]
        return try await Program(name: Self.bundle, environment: environment).run(words)
    }

    // MARK: - What is left

    /// QEMUs of this state folder.
    func processes() -> [String] {
        let mark = Array("\(path)/machines/".utf8)
        return contents("/proc").filter { process in
            guard Int(process) != nil, let line = FileManager.default.contents(atPath: "/proc/\(process)/cmdline")
            else {
                return false
            }
            return line.firstRange(of: mark) != nil && line.prefix { $0 != 0 }.firstRange(of: Array("qemu".utf8)) != nil
        }
    }

    /// What is left of simulations, wherever.
    func traces() -> [String] {
        let folders = ["leases", "checkpoints", "logs", "leads"].map { "\(path)/\($0)" }
        let runs = contents("\(path)/machines").map { "\(path)/machines/\($0)" }
        let files = (folders + runs).flatMap { folder in contents(folder).map { "\(folder)/\($0)" } }
        let ram = (try? FileManager.default.subpathsOfDirectory(atPath: ramFolder)) ?? []
        let ramFiles = ram.map { "\(ramFolder)/\($0)" }.filter { path in
            var status = stat()
            return stat(path, &status) == 0 && status.st_mode & S_IFMT == S_IFREG
        }
        return files + ramFiles + processes().map { "process \($0)" }
    }

    /// The daemon ends what nobody holds in the background.
    func expectClean(_ what: String = "", _ location: SourceLocation = #_sourceLocation) async throws {
        var traces = traces()
        for _ in 0..<1_200 {
            if traces.isEmpty { return }
            try await Task.sleep(for: .milliseconds(50))
            traces = self.traces()
        }
        #expect(traces.isEmpty, "\(what)", sourceLocation: location)
    }

    private func contents(_ folder: String) -> [String] {
        ((try? FileManager.default.contentsOfDirectory(atPath: folder)) ?? []).sorted()
    }

    private func clear() async {
        _ = try? await Program(name: Self.program, environment: environment).run(["serve", "--stop"])
        let left = processes()
        for process in left.compactMap({ pid_t($0) }) { kill(process, SIGKILL) }
        #expect(left.isEmpty, "machines were left running")
        for folder in [folder, ramFolder] { try? FileManager.default.removeItem(atPath: folder) }
    }
}
