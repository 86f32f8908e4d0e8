import Console
import FoundationEssentials
import HypervisorAPI
import Manifest

/// A manifest on disk, read with the caller's working directory and environment.
struct ManifestFile {
    let path: String

    /// - Throws: ``CommandFailure`` with one reason for each thing that is wrong, as `file:line:column: what`.
    func simulation() throws -> SimulationSpec {
        do throws(ManifestError) {
            return try Manifest.load(path: path, environment: ProcessInfo.processInfo.environment)
        } catch {
            throw CommandFailure(
                problem: .init(
                    code: "manifest-invalid",
                    detail: error.description,
                    reasons: error.problems.map { Reason(code: "manifest-invalid", message: $0.description) },
                    exitCode: Int(ExitStatus.usage.rawValue)
                )
            )
        }
    }
}
