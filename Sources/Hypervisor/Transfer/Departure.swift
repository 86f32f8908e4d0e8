import Glibc
import HypervisorAPI
import Time

/// One machine of a checkpoint on its way to another host: what it is made of there, and where that lies here.
struct Departure {
    private(set) var machine: MachineCheckpoint
    private(set) var sources: [String: FilePlace] = [:]
    private let folder: CheckpointFolder
    private let scratch: String
    private let gathers: Bool
    private let layers: DiskLayers

    init(_ machine: MachineCheckpoint, _ order: DepartureOrder, layers: DiskLayers) {
        self.machine = machine
        folder = CheckpointFolder(path: order.checkpoint.folder)
        scratch = order.scratch
        gathers = order.gathers
        self.layers = layers
    }

    /// - Throws: everything that is missing or not as it was saved.
    mutating func gather() async throws(HypervisorError) {
        var problems = ReasonList(of: machine.name)
        problems.add(await folder.damage(to: machine.disks))
        try problems.throwIfAny()
        machine.state = try await own(machine.state)
        if let ram = machine.ram { machine.ram = try await own(ram) }
        for index in machine.disks.indices { machine.disks[index] = try await alone(machine.disks[index]) }
        // Those that it came with, if it came from elsewhere itself, are found by the paths that it has now.
        machine.launchFiles = []
        for path in machine.launch.launchPaths { try await take(path) }
    }

    /// A file that is the checkpoint's already.
    private mutating func own(_ file: CheckpointFile) async throws(HypervisorError) -> CheckpointFile {
        let place = try folder.place(file.path)
        sources[file.path] = place
        return try await digested(file, at: place.absolute)
    }

    private func digested(_ file: CheckpointFile, at path: String) async throws(HypervisorError) -> CheckpointFile {
        var file = file
        if file.role == .ram {
            // Nobody compares this kind of digest on the way.
            let digest = try await RAMDigest.of(path)
            if let expected = file.sha256, expected != digest { throw differs(path, digest, expected) }
            file.sha256 = digest
        } else if file.sha256 == nil {
            file.sha256 = try await FileDigest.sha256(of: path)
        }
        return file
    }

    /// A disk that stands on no other image. A raw one that nothing writes does so as it is.
    private mutating func alone(_ disk: FrozenDisk) async throws(HypervisorError) -> FrozenDisk {
        let path = DiskLayers.absolute(disk.file.path, in: folder.path)
        let spec = machine.launch.spec.disks.first { $0.id == disk.id }
        let isReadOnly = spec.map { $0.readOnly || $0.interface == .cdrom } ?? false
        var disk = disk
        if isReadOnly, disk.format == "raw", disk.backingFiles.isEmpty {
            disk.file = try await digested(disk.file, at: path)
            disk.file.path = "machines/\(machine.name)/disk-\(disk.id).raw"
            sources[disk.file.path] = try await place(path, as: disk.file.path)
            return disk
        }
        // What is flattened gets a digest of its own, in which damage must not be sealed.
        if let expected = disk.file.sha256 {
            let found = try await FileDigest.sha256(of: path)
            guard found == expected else { throw differs(path, found, expected) }
        }
        let name = "machines/\(machine.name)/disk-\(disk.id).qcow2"
        let copy = "\(scratch)/\(name)"
        try RunFolder.make("\(scratch)/machines/\(machine.name)")
        try await layers.flatten(path, format: disk.format, to: copy)
        let digest = try await FileDigest.sha256(of: copy)
        disk.format = "qcow2"
        disk.backingFiles = []
        disk.file = CheckpointFile(role: .disk, path: name, bytes: try FileDigest.size(of: copy), sha256: digest)
        sources[name] = FilePlace(folder: scratch, path: name)
        return disk
    }

    /// Of a file that may be anywhere on this host.
    private func place(_ path: String, as name: String) async throws(HypervisorError) -> FilePlace {
        guard gathers else { return FilePlace(absolute: path) }
        let place = FilePlace(folder: scratch, path: name)
        try RunFolder.make(FilePlace(absolute: place.absolute).folder)
        _ = try await FileCopy.copy(from: path, to: place.absolute)
        return place
    }

    private func differs(_ path: String, _ found: String, _ expected: String) -> HypervisorError {
        HypervisorError(
            code: "checkpoint-corrupt",
            machine: machine.name,
            message: "\(path) has the digest \(found) instead of \(expected)"
        )
    }

    private mutating func take(_ path: String) async throws(HypervisorError) {
        var status = stat()
        guard stat(path, &status) == 0, status.st_mode & S_IFMT == S_IFREG, access(path, R_OK) == 0 else {
            throw HypervisorError(
                code: "checkpoint-corrupt",
                machine: machine.name,
                message: "\(path), with which its QEMU is started, cannot be read: \(String(cString: strerror(errno)))"
            )
        }
        let files = machine.launchFiles ?? []
        // By the number no two are the same, and none is `.` or `..`.
        let last = (path.split(separator: "/").last ?? "").filter {
            $0.isASCII && ($0.isLetter || $0.isNumber || "-_.".contains($0))
        }
        let name = "machines/\(machine.name)/launch/\(files.count)-\(last.suffix(100))"
        let file = CheckpointFile(
            role: .launch,
            path: name,
            bytes: UInt64(status.st_size),
            sha256: try await FileDigest.sha256(of: path)
        )
        sources[name] = try await place(path, as: name)
        machine.launchFiles = files + [LaunchFile(original: path, file: file)]
    }
}

extension CheckpointFolder {
    func place(_ path: String) throws(HypervisorError) -> FilePlace {
        _ = try file(path)
        return FilePlace(folder: self.path, path: path)
    }
}

extension FilePlace {
    fileprivate init(absolute: String) {
        let slash = absolute.lastIndex(of: "/") ?? absolute.startIndex
        self.init(folder: String(absolute[..<slash]), path: String(absolute[slash...].dropFirst()))
    }
}

extension DiskLayers {
    /// An image with everything that the guest sees of another one and all below it; compact, and on nothing.
    func flatten(_ path: String, format: String, to copy: String) async throws(HypervisorError) {
        do throws(HypervisorError) {
            // -U: a machine that runs on the layer holds its lock, and nobody writes it.
            _ = try await ShortCommand(
                arguments: [tool, "convert", "-U", "-f", format, "-O", "qcow2", path, copy],
                timeout: .seconds(6 * 3600)
            ).runSuccessfully()
        } catch {
            unlink(copy)
            throw HypervisorError(
                code: "disk-flatten-failed",
                message: "\(path) cannot be made to stand alone: \(error)"
            )
        }
    }
}
