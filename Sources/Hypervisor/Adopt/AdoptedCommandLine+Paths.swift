extension AdoptedCommandLine {
    /// Options whose value is a path.
    private static let paths: Set<String> = [
        "kernel", "initrd", "dtb", "L", "D", "readconfig", "mem-path", "option-rom", "hda", "hdb", "hdc", "hdd",
        "cdrom",
        "fda", "fdb", "sd", "pflash", "mtdblock", "",
    ]
    /// Options with paths among their keys.
    private static let keys: [String: [String]] = [
        "drive": ["file", "file.filename"], "blockdev": ["filename", "file.filename"], "chardev": ["path", "logfile"],
        "object": ["mem-path", "filename", "file"], "fw_cfg": ["file"], "acpitable": ["file", "data"],
        "smbios": ["file"], "fsdev": ["path"], "virtfs": ["path"], "tpmdev": ["path"],
        "netdev": ["path", "addr.path", "local.path", "remote.path"],
    ]
    /// Options that name a character device: `unix:path`, `file:path`.
    private static let devices: Set<String> = ["qmp", "qmp-pretty", "monitor", "serial", "parallel", "debugcon", "gdb"]

    /// The paths that depend on where the process was started.
    var relativePaths: [String] {
        var found: [String] = []
        var copy = self
        copy.rewritePaths { path in
            found.append(path)
            return path
        }
        return found
    }

    mutating func makePathsAbsolute(in folder: String) {
        rewritePaths { RelativePath.absolute($0, in: folder) }
    }

    /// Of relative paths only.
    private mutating func rewritePaths(_ body: (String) -> String) {
        func rewritten(_ path: String) -> String { RelativePath.isOne(path) ? body(path) : path }
        for index in options.indices {
            guard let value = options[index].value else { continue }
            let name = options[index].name
            if Self.paths.contains(name) {
                options[index].value = rewritten(value)
            } else if let keys = Self.keys[name], var block = BlockOptions(value) {
                var changed = false
                for key in keys {
                    guard let path = block[key] else { continue }
                    let new = rewritten(path)
                    changed = changed || new != path
                    block[key] = new
                }
                // An option that needs no change stays as it was written.
                if changed { options[index].value = block.text }
            } else if Self.devices.contains(name) {
                var device = OptionValue(value)
                for prefix in ["unix:", "file:", "pipe:"] {
                    guard let head = device.head, head.hasPrefix(prefix) else { continue }
                    let path = String(head.dropFirst(prefix.count))
                    let new = rewritten(path)
                    guard new != path else { continue }
                    device.head = prefix + new
                    options[index].value = device.text
                }
            }
        }
    }
}
