import HypervisorAPI

/// The folders of checkpoints below one state folder. On the wire they are relative to it: each host has its own, and nobody can
/// name a folder outside it.
struct CheckpointFolders: Sendable {
    /// Absolute, without a slash at its end.
    let home: String

    /// `checkpoints/lab/first` of `/home/of/control/checkpoints/lab/first`.
    func relative(_ folder: String) throws(HypervisorError) -> String {
        guard folder.hasPrefix(home + "/") else { throw Self.outside(folder) }
        let relative = String(folder.dropFirst(home.count + 1))
        guard Self.isCheckpoint(relative) else { throw Self.outside(folder) }
        return relative
    }

    /// - Parameter relative: from the other side, so whatever anybody wrote.
    func absolute(_ relative: String) throws(HypervisorError) -> String {
        guard Self.isCheckpoint(relative) else { throw Self.outside(relative) }
        return "\(home)/\(relative)"
    }

    private static func isCheckpoint(_ path: String) -> Bool {
        let parts = path.split(separator: "/", omittingEmptySubsequences: false)
        return parts.count == 3 && parts[0] == "checkpoints" && parts[1...].allSatisfy(isName)
    }

    private static func isName(_ part: Substring) -> Bool {
        !part.isEmpty && part.first != "." && part.utf8.count <= 255
            && part.utf8.allSatisfy { byte in
                switch byte {
                case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
                    UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "-"), UInt8(ascii: "_"), UInt8(ascii: "."):
                    true
                default: false
                }
            }
    }

    private static func outside(_ folder: String) -> HypervisorError {
        HypervisorError(
            code: "folder-outside",
            message:
                "'\(folder.prefix(200))' is no checkpoint's folder: checkpoints/SIMULATION/NAME in the state folder"
        )
    }
}

extension Order {
    /// The same with other folders.
    func mapping(
        _ map: (String) throws(HypervisorError) -> String
    ) throws(HypervisorError) -> Order {
        switch self {
        case .start: self
        case .suspend(let order): .suspend(try order.mapping(map))
        case .checkpoint(let order): .checkpoint(try order.mapping(map))
        case .resume(let order): .resume(try order.mapping(map))
        }
    }
}

extension SaveOrder {
    func mapping(_ map: (String) throws(HypervisorError) -> String) throws(HypervisorError) -> SaveOrder {
        var order = self
        order.folder = try map(folder)
        order.finalFolder = try map(finalFolder)
        return order
    }
}

extension ResumeOrder {
    func mapping(_ map: (String) throws(HypervisorError) -> String) throws(HypervisorError) -> ResumeOrder {
        var order = self
        order.folder = try map(folder)
        return order
    }
}

extension StoredCheckpoint {
    func mapping(_ map: (String) throws(HypervisorError) -> String) throws(HypervisorError) -> StoredCheckpoint {
        var checkpoint = self
        checkpoint.folder = try map(folder)
        return checkpoint
    }
}

extension ClockEditOrder {
    func mapping(_ map: (String) throws(HypervisorError) -> String) throws(HypervisorError) -> ClockEditOrder {
        var order = self
        order.source = try source.mapping(map)
        order.folder = try map(folder)
        return order
    }
}
