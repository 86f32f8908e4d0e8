import Glibc
import HypervisorAPI
import Time

/// Images, overlays and frozen layers on this host. All paths are absolute.
///
/// A machine never writes an image that it was given: it gets an overlay of its own, which a suspend freezes into the checkpoint
/// and on which the next resume puts another overlay.
struct DiskLayers: Sendable {
    /// Absolute path or name of `qemu-img`.
    var tool = "qemu-img"
    /// Of each command.
    var timeout = Span.seconds(60)

    /// The disks of a machine that starts from nothing: an overlay for each writable one, read-only ones as they are.
    func makeDisks(for specs: [DiskSpec], in folder: String) async throws(HypervisorError) -> [MachineRecord
        .RunningDisk]
    {
        var disks: [MachineRecord.RunningDisk] = []
        do throws(HypervisorError) {
            for spec in specs {
                let image = try await inspect(spec.file, format: spec.format)
                _ = try await chain(of: image)
                if spec.readOnly || spec.interface == .cdrom {
                    disks.append(disk(spec.id, at: image.path, image.format, readOnly: true, ownLayer: false))
                } else {
                    let path = overlayPath(spec.id, in: folder)
                    try await makeOverlay(on: image.path, format: image.format, at: path)
                    disks.append(disk(spec.id, at: path, "qcow2", readOnly: false, ownLayer: true))
                }
            }
        } catch {
            removeOwnLayers(of: disks)
            throw error
        }
        return disks
    }

    /// The disks of a machine that is loaded: a new overlay on each frozen layer, read-only images as they were.
    /// - Parameter checkpointFolder: what relative paths of `frozen` begin from.
    func makeDisks(
        on frozen: [FrozenDisk],
        checkpointFolder: String,
        specs: [DiskSpec],
        in folder: String
    ) async throws(HypervisorError) -> [MachineRecord.RunningDisk] {
        var disks: [MachineRecord.RunningDisk] = []
        do throws(HypervisorError) {
            for layer in frozen {
                let base = Self.absolute(layer.file.path, in: checkpointFolder)
                let spec = specs.first { $0.id == layer.id }
                if let spec, spec.readOnly || spec.interface == .cdrom {
                    disks.append(disk(layer.id, at: base, layer.format, readOnly: true, ownLayer: false))
                } else {
                    let path = overlayPath(layer.id, in: folder)
                    try await makeOverlay(on: base, format: layer.format, at: path)
                    disks.append(disk(layer.id, at: path, "qcow2", readOnly: false, ownLayer: true))
                }
            }
        } catch {
            removeOwnLayers(of: disks)
            throw error
        }
        return disks
    }

    /// A qcow2 file whose content is, until somebody writes it, that of its base.
    /// - Throws: when there is something at `path`, or the base cannot be opened.
    func makeOverlay(on base: String, format: String, at path: String) async throws(HypervisorError) {
        guard access(path, F_OK) != 0 else {
            throw HypervisorError(
                code: "disk-exists",
                message: "\(path) is there already; an overlay must be a new file"
            )
        }
        do throws(HypervisorError) {
            _ = try await ShortCommand(
                arguments: [tool, "create", "-q", "-f", "qcow2", "-F", format, "-b", base, path],
                timeout: timeout
            ).runSuccessfully()
        } catch {
            unlink(path)
            throw HypervisorError(code: "disk-overlay-failed", message: "no overlay of \(base): \(error)")
        }
    }

    /// An overlay whose base comes to its path only later.
    /// - Parameter virtualSize: of the base, in bytes.
    func makeDetachedOverlay(
        of base: String,
        format: String,
        virtualSize: UInt64,
        at path: String
    ) async throws(HypervisorError) {
        do throws(HypervisorError) {
            _ = try await ShortCommand(
                arguments: [
                    tool, "create", "-q", "-u", "-f", "qcow2", "-F", format, "-b", base, path, "\(virtualSize)",
                ],
                timeout: timeout
            ).runSuccessfully()
        } catch {
            unlink(path)
            throw HypervisorError(code: "disk-overlay-failed", message: "no overlay for \(base): \(error)")
        }
    }

    func removeOwnLayers(of disks: [MachineRecord.RunningDisk]) {
        for disk in disks where disk.ownLayer { unlink(disk.path) }
    }

    static func absolute(_ path: String, in folder: String) -> String {
        path.hasPrefix("/") ? path : "\(folder)/\(path)"
    }

    private func overlayPath(_ id: String, in folder: String) -> String {
        "\(folder)/\(StableName.identifier("disk", id)).qcow2"
    }

    private func disk(
        _ id: String,
        at path: String,
        _ format: String,
        readOnly: Bool,
        ownLayer: Bool
    ) -> MachineRecord.RunningDisk {
        MachineRecord.RunningDisk(
            id: id,
            nodeName: StableName.identifier("disk", id),
            path: path,
            format: format,
            readOnly: readOnly,
            ownLayer: ownLayer,
            fileNodeName: StableName.identifier("file", id)
        )
    }
}
