import FoundationEssentials
public import HypervisorAPI
import Yams

/// A simulation's description in YAML. docs/manifest.md shows the format.
public enum Manifest {
    /// A manifest larger than this is none.
    static let sizeLimit = 1 << 20
    /// Deeper nesting than any manifest has; the YAML reader recurses.
    static let depthLimit = 64

    /// Reads a manifest file.
    /// - Parameters:
    ///   - environment: for `${VAR}`, and `PATH` to find QEMU.
    ///   - checkingFiles: whether the files that it names must be there.
    /// - Throws: ``ManifestError`` with everything that is wrong with it.
    public static func load(
        path: String,
        environment: [String: String],
        checkingFiles: Bool = true
    ) throws(ManifestError) -> SimulationSpec {
        let text = try Self.text(ofFile: path)
        return try parse(
            text: text,
            file: path,
            folder: Paths.folder(of: Paths.absolute(path, from: FileManager.default.currentDirectoryPath)),
            environment: environment,
            checkingFiles: checkingFiles
        )
    }

    /// - Parameter subject: what the file should be.
    package static func text(ofFile path: String, subject: String = "manifest") throws(ManifestError) -> String {
        let unreadable = { (why: String) in
            ManifestError(problems: [ManifestProblem(file: path, line: 1, column: 1, message: why)])
        }
        let attributes = try? FileManager.default.attributesOfItem(atPath: path)
        guard let attributes else { throw unreadable("the file cannot be found or not be read") }
        guard attributes[.type] as? FileAttributeType == .typeRegular else {
            throw unreadable("this is no regular file")
        }
        guard let size = attributes[.size] as? UInt64 ?? (attributes[.size] as? Int).map(UInt64.init), size <= sizeLimit
        else {
            throw unreadable("the file is larger than a \(subject) can be (\(sizeLimit >> 20) MiB)")
        }
        let data: Data
        do {
            data = try Data(contentsOf: URL(filePath: path))
        } catch {
            throw unreadable("the file cannot be read: \(error)")
        }
        guard let text = String(validating: data, as: UTF8.self) else { throw unreadable("the file is not UTF-8 text") }
        return text
    }

    /// Reads a manifest.
    /// - Parameters:
    ///   - file: what errors call it.
    ///   - folder: absolute; where relative paths begin.
    public static func parse(
        text: String,
        file: String,
        folder: String,
        environment: [String: String],
        checkingFiles: Bool = true
    ) throws(ManifestError) -> SimulationSpec {
        let reading = Reading(file: file, folder: folder, environment: environment, checkingFiles: checkingFiles)
        let simulation = reading.read(text, as: SimulationKeys.type)
        guard let simulation, reading.problems.isEmpty else { throw reading.error }
        return simulation
    }

    /// The JSON schema (draft 2020-12) of the format.
    public static var jsonSchema: String {
        guard case .object(let members) = SimulationKeys.type.schema else { return "" }
        let head: [(String, SchemaNode)] = [
            ("$schema", .string("https://json-schema.org/draft/2020-12/schema")),
            ("title", .string("fermata manifest")),
        ]
        return SchemaNode.object(head + members).text + "\n"
    }

    /// All keys with their types, defaults and meanings, as Markdown.
    public static var keyTable: String { KeyTable.markdown(of: SimulationKeys.type.objects) }
}
