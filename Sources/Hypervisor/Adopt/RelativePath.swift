/// Paths as QEMU takes them.
enum RelativePath {
    /// `nbd:…` and `json:…` name no file of this host.
    static func isOne(_ path: String) -> Bool {
        !path.isEmpty && !path.hasPrefix("/") && !path.prefix { $0 != "/" }.contains(":")
    }

    static func absolute(_ path: String, in folder: String) -> String {
        isOne(path) ? "\(folder == "/" ? "" : folder)/\(path)" : path
    }
}

extension MachineSurvey {
    /// QEMU names files as its command line did.
    mutating func makePathsAbsolute(in folder: String) {
        for index in disks.indices {
            disks[index].file = RelativePath.absolute(disks[index].file, in: folder)
            disks[index].backingFiles = disks[index].backingFiles.map { RelativePath.absolute($0, in: folder) }
        }
    }
}
