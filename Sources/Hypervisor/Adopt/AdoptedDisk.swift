/// A disk that a command line names.
struct AdoptedDisk: Hashable, Sendable {
    enum Form: Hashable, Sendable {
        case drive
        /// `-hda` and its like, as the options of the `-drive` that it stands for.
        case shorthand(String)
        /// The node's own option, and the option of the file node below it when that is one of its own.
        case blockdev(file: Int?)
    }

    /// Stable: by it a frozen layer finds its disk again.
    var id: String
    /// Index of the option.
    var option: Int
    var form: Form
    /// As written.
    var file: String
    var readOnly: Bool
}

extension AdoptedCommandLine {
    private static let shorthands: [String: String] = [
        "": "index=0,media=disk", "hda": "index=0,media=disk", "hdb": "index=1,media=disk", "hdc": "index=2,media=disk",
        "hdd": "index=3,media=disk", "cdrom": "index=2,media=cdrom", "fda": "if=floppy,index=0",
        "fdb": "if=floppy,index=1", "sd": "if=sd", "pflash": "if=pflash", "mtdblock": "if=mtd",
    ]
    /// Drivers that only give access to a file's bytes.
    private static let protocols: Set<String> = ["file", "host_device", "host_cdrom"]

    var disks: [AdoptedDisk] {
        var disks: [AdoptedDisk] = []
        for (index, option) in options.enumerated() {
            guard let value = option.value else { continue }
            if let stands = Self.shorthands[option.name] {
                let readOnly = option.name == "cdrom"
                disks.append(
                    AdoptedDisk(
                        id: "disk\(disks.count)",
                        option: index,
                        form: .shorthand(stands),
                        file: value,
                        readOnly: readOnly
                    )
                )
            } else if option.name == "drive", let drive = BlockOptions(value) {
                guard let file = drive["file"] ?? drive["file.filename"], !file.isEmpty else { continue }
                let readOnly = (drive["readonly"] ?? drive["read-only"]) == "on" || drive["media"] == "cdrom"
                disks.append(
                    AdoptedDisk(
                        id: drive["id"] ?? "disk\(disks.count)",
                        option: index,
                        form: .drive,
                        file: file,
                        readOnly: readOnly
                    )
                )
            } else if option.name == "blockdev", let disk = blockdev(at: index, value, disks.count) {
                disks.append(disk)
            }
        }
        return disks
    }

    /// - Returns: nil for a node that is only a part of another.
    private func blockdev(at index: Int, _ value: String, _ count: Int) -> AdoptedDisk? {
        guard let node = BlockOptions(value), let name = node["node-name"], !isPart(name) else { return nil }
        let readOnly = node["read-only"] == "on"
        if let file = node["file.filename"] ?? node["filename"] {
            return AdoptedDisk(id: name, option: index, form: .blockdev(file: nil), file: file, readOnly: readOnly)
        }
        guard let below = node["file"], let fileIndex = blockdevIndex(named: below),
            let fileNode = options[fileIndex].value.flatMap({ BlockOptions($0) }), let file = fileNode["filename"]
        else { return nil }
        return AdoptedDisk(id: name, option: index, form: .blockdev(file: fileIndex), file: file, readOnly: readOnly)
    }

    private func isPart(_ name: String) -> Bool {
        values("blockdev").contains { value in
            guard let node = BlockOptions(value) else { return false }
            return node["file"] == name || node["backing"] == name
        }
    }

    private func blockdevIndex(named name: String) -> Int? {
        options.firstIndex { option in
            option.name == "blockdev" && option.value.flatMap { BlockOptions($0) }?["node-name"] == name
        }
    }

    /// Puts another image in a disk's place.
    mutating func replace(_ disk: AdoptedDisk, by file: String, format: String) {
        guard let value = options[disk.option].value else { return }
        switch disk.form {
        case .shorthand(let stands):
            options[disk.option] = Option(
                name: "drive",
                value: "file=\(CommandLine.escaped(file)),format=\(format),\(stands)"
            )
        case .drive:
            guard var drive = BlockOptions(value) else { return }
            for key in ["file", "format", "driver"] { drive.remove(key) }
            drive["file"] = file
            drive["format"] = format
            options[disk.option].value = drive.text
        case .blockdev(let fileIndex):
            guard var node = BlockOptions(value) else { return }
            if let fileIndex, let fileValue = options[fileIndex].value, var fileNode = BlockOptions(fileValue) {
                fileNode["driver"] = "file"
                fileNode["filename"] = file
                options[fileIndex].value = fileNode.text
            } else {
                node.remove("filename")
                node.remove("file")
                node["file.driver"] = "file"
                node["file.filename"] = file
            }
            node["driver"] = format
            options[disk.option].value = node.text
        }
    }
}
