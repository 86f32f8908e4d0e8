import Batch
import Console
import FoundationEssentials
import HypervisorAPI
import Manifest

/// A batch file on disk with the labs that it names, read with the caller's working directory and environment.
struct BatchFile: Sendable {
    let path: String
    /// Absolute; where its commands run.
    let folder: String
    let batch: Batch
    /// By their absolute paths.
    let labs: [String: SimulationSpec]
    /// What was read, by paths: it tells whether a file has changed since.
    let texts: [String: String]

    /// - Throws: ``CommandFailure`` with one reason for each thing that is wrong, as `file:line:column: what`.
    init(path: String) throws {
        self.path = path
        let absolute = Paths.absolute(path, from: FileManager.default.currentDirectoryPath)
        folder = Paths.folder(of: absolute)
        let environment = ProcessInfo.processInfo.environment
        let shelf = Shelf()
        do throws(ManifestError) {
            let text = try Manifest.text(ofFile: path, subject: "batch file")
            batch = try Batch.parse(text: text, file: path, folder: folder, environment: environment) {
                lab throws(ManifestError) in
                let spec = try Manifest.load(path: lab, environment: environment)
                shelf.labs[lab] = spec
                shelf.texts[lab] = try Manifest.text(ofFile: lab)
                return spec.machines.map(\.name)
            }
            shelf.texts[absolute] = text
        } catch {
            throw CommandFailure(
                problem: .init(
                    code: "batch-invalid",
                    detail: error.description,
                    reasons: error.problems.map { Reason(code: "batch-invalid", message: $0.description) },
                    exitCode: Int(ExitStatus.usage.rawValue)
                )
            )
        }
        labs = shelf.labs
        texts = shelf.texts
    }

    /// What is found on the way.
    private final class Shelf {
        var labs: [String: SimulationSpec] = [:]
        var texts: [String: String] = [:]
    }

    /// The absolute path.
    var identity: String { Paths.absolute(path, from: FileManager.default.currentDirectoryPath) }
}
