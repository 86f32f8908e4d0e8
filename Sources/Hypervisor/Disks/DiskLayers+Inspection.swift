import FoundationEssentials
import Glibc
import HypervisorAPI

extension DiskLayers {
    /// As `qemu-img info --output=json` names things.
    private struct Report: Decodable {
        var format: String
        var virtualSize: UInt64
        var backingFile: String?
        var fullBackingFile: String?
        var backingFormat: String?
        var formatSpecific: FormatSpecific?

        /// Its own kind of data differs by format; of qcow2 only where the guest's data lies.
        struct FormatSpecific: Decodable {
            struct Details: Decodable {
                var dataFile: String?

                enum CodingKeys: String, CodingKey { case dataFile = "data-file" }
            }

            var data: Details?
        }

        enum CodingKeys: String, CodingKey {
            case format
            case virtualSize = "virtual-size"
            case backingFile = "backing-filename"
            case fullBackingFile = "full-backing-filename"
            case backingFormat = "backing-filename-format"
            case formatSpecific = "format-specific"
        }
    }

    /// Most images below one another that are followed: QEMU opens every one of them, and each of its requests may ask all.
    private static let depthLimit = 200

    /// - Parameter format: as the user or a record gave it; nil: as the image's own header says.
    /// - Throws: also when `format` is nil and nothing in the file says that it is not a raw image: a guest that writes another
    ///   format's header into a raw disk could otherwise make the host read any file as its backing image.
    func inspect(_ path: String, format: String?) async throws(HypervisorError) -> ImageInfo {
        guard path.hasPrefix("/") else {
            throw HypervisorError(
                code: "disk-unusable",
                message: "the image '\(path)' is not given by an absolute path"
            )
        }
        guard access(path, R_OK) == 0 else {
            throw HypervisorError(
                code: "disk-missing",
                message: "the image \(path) cannot be read: \(String(cString: strerror(errno)))"
            )
        }
        // -U: a paused machine holds the locks of its images, and this only reads.
        var arguments = [tool, "info", "-U", "--output=json"]
        if let format { arguments += ["-f", format] }
        let output: ShortCommand.Output
        do throws(HypervisorError) {
            output = try await ShortCommand(arguments: arguments + [path], timeout: timeout).runSuccessfully()
        } catch {
            throw HypervisorError(code: "disk-unusable", message: "the image \(path) is of no use: \(error)")
        }
        guard let report = try? JSONDecoder().decode(Report.self, from: Data(output.standardOutput)) else {
            throw HypervisorError(code: "disk-unusable", message: "qemu-img says nothing understandable about \(path)")
        }
        guard format != nil || report.format != "raw" else {
            throw HypervisorError(
                code: "disk-format-needed",
                message: "nothing in \(path) says which format it has; write `format: raw` if it is a raw image"
            )
        }
        var backing = report.backingFile == nil ? nil : report.fullBackingFile ?? report.backingFile
        if let file = backing, !file.hasPrefix("/") {
            guard !file.contains(":") else {
                throw HypervisorError(
                    code: "disk-unusable",
                    message: "\(path) stands on '\(file)', which is no file of this host"
                )
            }
            backing = path[..<(path.lastIndex(of: "/") ?? path.startIndex)] + "/" + file
        }
        return ImageInfo(
            path: path,
            format: report.format,
            virtualSize: report.virtualSize,
            backingFile: backing,
            backingFormat: report.backingFormat,
            dataFile: report.formatSpecific?.data?.dataFile
        )
    }

    /// The images below `top`, top first.
    /// - Throws: when one is missing, or does not record the format of the one below it.
    func chain(of top: ImageInfo) async throws(HypervisorError) -> [ImageInfo] {
        var images: [ImageInfo] = []
        var upper = top
        while let path = upper.backingFile {
            guard !images.contains(where: { $0.path == path }), path != top.path else {
                throw HypervisorError(
                    code: "disk-unusable",
                    message: "the images below \(top.path) form a loop: \(path) lies below itself"
                )
            }
            guard images.count < Self.depthLimit else {
                throw HypervisorError(
                    code: "disk-chain-too-long",
                    message: "more than \(Self.depthLimit) images lie below \(top.path); "
                        + "`qemu-img convert -O qcow2 \(top.path) NEW` makes one image of them all"
                )
            }
            guard let format = upper.backingFormat else {
                throw HypervisorError(
                    code: "disk-format-needed",
                    message: "\(upper.path) does not record the format of \(path) below it; "
                        + "`qemu-img rebase -u -b \(path) -F FORMAT \(upper.path)` adds it"
                )
            }
            upper = try await inspect(path, format: format)
            images.append(upper)
        }
        return images
    }
}
