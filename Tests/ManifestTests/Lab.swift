import FoundationEssentials
import HypervisorAPI
import Manifest

/// A folder with files that manifests can name, and programs that stand for QEMU on a `PATH`. Gone with the object.
final class Lab {
    let folder: String
    var environment: [String: String]

    init(files: [String] = ["base.qcow2", "vmlinuz", "initrd.img", "bios.bin"]) throws {
        folder = FileManager.default.temporaryDirectory.path + "/fermata-manifest-\(UInt64.random(in: 0 ... .max))"
        environment = ["PATH": "\(folder)/bin:relative"]
        try FileManager.default.createDirectory(atPath: "\(folder)/bin", withIntermediateDirectories: true)
        for file in files { try Data("x".utf8).write(to: URL(filePath: "\(folder)/\(file)")) }
        for architecture in ["x86_64", "aarch64"] {
            let path = "\(folder)/bin/qemu-system-\(architecture)"
            try Data("#!/bin/sh\n".utf8).write(to: URL(filePath: path))
            try FileManager.default.setAttributes([.posixPermissions: 0o755], ofItemAtPath: path)
        }
    }

    deinit { try? FileManager.default.removeItem(atPath: folder) }

    func parse(_ text: String) throws(ManifestError) -> SimulationSpec {
        try Manifest.parse(text: text, file: "lab.yaml", folder: folder, environment: environment)
    }

    /// What is wrong, each as `line:column: message`, with the folder's name left out.
    func problems(_ text: String) -> [String] {
        do throws(ManifestError) {
            _ = try parse(text)
            return []
        } catch {
            return error.problems.map { problem in
                let message = problem.message.split(separator: folder, omittingEmptySubsequences: false).joined(
                    separator: "LAB"
                )
                return "\(problem.line):\(problem.column): \(message)"
            }
        }
    }
}
