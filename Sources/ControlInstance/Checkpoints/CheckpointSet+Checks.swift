import FoundationEssentials
import HypervisorAPI

extension CheckpointSet {
    /// Bytes in flight in a link: sockets hold less than a megabyte, and it is read into memory.
    private static let linkLimit: UInt64 = 64 << 20

    private struct Head: Decodable {
        var format: Int
    }

    /// A manifest may come from anywhere (a copied folder, an import): nothing in it is trusted.
    static func decode(_ bytes: [UInt8], title: String) throws(ControlError) -> CheckpointManifest {
        let manifest: CheckpointManifest
        do {
            let data = Data(bytes)
            let format = try JSONDecoder().decode(Head.self, from: data).format
            guard (1...CheckpointManifest.currentFormat).contains(format) else {
                throw ControlError(
                    code: "checkpoint-incompatible",
                    message: "checkpoint \(title) is of format \(format); this release reads up to "
                        + "\(CheckpointManifest.currentFormat): use a newer one"
                )
            }
            manifest = try JSONDecoder().decode(CheckpointManifest.self, from: data)
        } catch let error as ControlError {
            throw error
        } catch {
            throw corrupt(title, "its manifest cannot be read: \(describe(error))")
        }
        let problems = problems(of: manifest)
        guard problems.isEmpty else { throw corrupt(title, problems.joined(separator: "; ")) }
        return manifest
    }

    /// Every way in which the manifest contradicts itself or points out of its folder.
    static func problems(of manifest: CheckpointManifest) -> [String] {
        var problems: [String] = []
        for name in [manifest.simulation, manifest.name] + manifest.machines.map(\.name) + manifest.links.map(\.link)
            + [manifest.parent?.name, manifest.parent?.simulation].compactMap({ $0 }) + names(in: manifest.spec)
        where !Name.isValid(name) {
            problems.append("'\(name)' is not a valid name")
        }
        let names = manifest.machines.map(\.name)
        if names.isEmpty { problems.append("it has no machines") }
        if Set(names).count != names.count { problems.append("a machine is in it twice") }
        for machine in manifest.machines {
            check(machine.state, mayBeOutside: false, &problems)
            if let ram = machine.ram { check(ram, mayBeOutside: false, &problems) }
            if (machine.ram != nil) != (machine.ramWay == .file) {
                problems.append("\(machine.name) goes by `\(machine.ramWay.rawValue)`, which does not fit its files")
            }
            // An adopted machine's image stays where it was.
            for disk in machine.disks { check(disk.file, mayBeOutside: true, &problems) }
            for disk in machine.disks where !disk.backingFiles.allSatisfy({ $0.hasPrefix("/") }) {
                problems.append("a backing file of disk \(disk.id) of \(machine.name) has no absolute path")
            }
            for launch in machine.launchFiles ?? [] { check(launch.file, mayBeOutside: false, &problems) }
            // A resume makes folders of the one and files of the other.
            if machine.launch.spec.name != machine.name {
                problems.append("\(machine.name) would be started as '\(machine.launch.spec.name)'")
            }
            for id in machine.disks.map(\.id) + machine.launch.spec.disks.map(\.id) where !isPart(id) {
                problems.append("'\(id)' is not the name of a disk")
            }
            if machine.deviceStateOffset > machine.state.bytes {
                problems.append("the device state of \(machine.name) would begin behind the end of its state file")
            }
            if !isDigest(machine.deviceStateSHA256) { problems.append("a digest of \(machine.name) is none") }
        }
        for link in manifest.links {
            check(link.file, mayBeOutside: false, &problems)
            if !names.contains(link.towards) {
                problems.append("link \(link.link) leads to '\(link.towards)', which is no machine of it")
            }
            if link.file.bytes > linkLimit {
                problems.append("link \(link.link) has \(link.file.bytes >> 20) MiB in flight, more than a cable holds")
            }
            if link.frameSizes.contains(where: { $0 < 0 }) {
                problems.append("link \(link.link) has a frame of negative size")
            }
        }
        let paths = manifest.files.map(\.path)
        if Set(paths).count != paths.count { problems.append("a file is in it twice") }
        return problems
    }

    /// What becomes names of folders and files when machines are started.
    private static func names(in spec: SimulationSpec) -> [String] {
        [spec.name] + spec.machines.map(\.name) + spec.links.map(\.name) + spec.resources.map(\.name)
    }

    private static func check(_ file: CheckpointFile, mayBeOutside: Bool, _ problems: inout [String]) {
        let inside = isInside(file.path)
        if !inside, !(mayBeOutside && file.path.hasPrefix("/") && !file.path.split(separator: "/").contains("..")) {
            problems.append("the file '\(file.path)' is outside of its folder")
        }
        if let sha256 = file.sha256, !isDigest(sha256) { problems.append("the digest of '\(file.path)' is none") }
    }

    /// A relative path without `.`, `..`, empty parts or NUL.
    static func isInside(_ path: String) -> Bool {
        !path.isEmpty && !path.utf8.contains(0)
            && path.split(separator: "/", omittingEmptySubsequences: false).allSatisfy {
                !["", ".", ".."].contains($0)
            }
    }

    /// One part of a path, as a name in it: an adopted machine's disks have names that somebody else gave them.
    private static func isPart(_ name: String) -> Bool { isInside(name) && !name.contains("/") }

    static func isDigest(_ text: String) -> Bool {
        text.utf8.count == 64
            && text.utf8.allSatisfy {
                (UInt8(ascii: "0")...UInt8(ascii: "9")).contains($0)
                    || (UInt8(ascii: "a")...UInt8(ascii: "f")).contains($0)
            }
    }

    static func describe(_ error: any Error) -> String {
        guard let error = error as? DecodingError else { return "\(error)" }
        let (context, what): (DecodingError.Context, String) =
            switch error {
            case .keyNotFound(let key, let context): (context, "'\(key.stringValue)' is missing")
            case .typeMismatch(_, let context), .valueNotFound(_, let context), .dataCorrupted(let context):
                (context, context.debugDescription)
            @unknown default: (DecodingError.Context(codingPath: [], debugDescription: ""), "\(error)")
            }
        let path = context.codingPath.map { $0.intValue.map { "[\($0)]" } ?? ".\($0.stringValue)" }.joined()
        return path.isEmpty ? what : "\(what) at \(path.hasPrefix(".") ? String(path.dropFirst()) : path)"
    }
}
