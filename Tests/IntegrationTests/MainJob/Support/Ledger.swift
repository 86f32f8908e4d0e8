import Glibc
import HypervisorAPI
import Time

/// Resources whose commands write down each time that they are run.
struct Ledger {
    let folder: TemporaryFolder

    func resource(_ name: String) -> ResourceSpec {
        let log = folder.file("ledger")
        let bar = folder.file("barred")
        return ResourceSpec(
            name: name,
            // A barred one fails half way: what it took by then is to be given back as well.
            acquire: ["/bin/sh", "-c", "echo '+ \(name)' >>'\(log)'; ! grep -qsx \(name) '\(bar)'"],
            release: ["/bin/sh", "-c", "echo '- \(name)' >>'\(log)'"]
        )
    }

    /// From now on that resource is not to be had.
    func fail(_ name: String?) throws { try folder.write(Array("\(name ?? "")\n".utf8), to: "barred") }

    /// How often each was taken and not given back; those in balance are left out.
    func held() throws -> [String: Int] {
        var held: [String: Int] = [:]
        let text = String(decoding: try TemporaryFolder.contents(of: folder.file("ledger")), as: UTF8.self)
        for line in text.split(separator: "\n") {
            let words = line.split(separator: " ")
            guard words.count == 2 else { throw TestSupportError("the ledger has a line '\(line)'") }
            held[String(words[1]), default: 0] += words[0] == "+" ? 1 : -1
        }
        return held.filter { $0.value != 0 }
    }
}
