import HypervisorAPI

/// The folders of checkpoints below one state folder. On the wire they are relative to it: each host has its own, and nobody can
/// name a folder outside it.
struct CheckpointFolders: Sendable {
    enum Kind: Sendable {
        /// `checkpoints/SIMULATION/NAME`
        case checkpoint
        /// `exports/ID`: what is made of a checkpoint for its way to another host.
        case export
        /// `checkpoints/SIMULATION/NAME.partial.arriving`: what comes from another host; the only one that is written from there.
        case arrival
    }

    /// Absolute, without a slash at its end.
    let home: String

    /// `checkpoints/lab/first` of `/home/of/control/checkpoints/lab/first`.
    func relative(_ folder: String) throws(HypervisorError) -> String {
        try relative(folder, of: [.checkpoint])
    }

    func isCheckpoint(_ folder: String) -> Bool {
        folder.hasPrefix(home + "/") && Self.kind(of: String(folder.dropFirst(home.count + 1))) == .checkpoint
    }

    func relative(_ folder: String, of kinds: Set<Kind>) throws(HypervisorError) -> String {
        guard folder.hasPrefix(home + "/") else { throw Self.outside(folder) }
        let relative = String(folder.dropFirst(home.count + 1))
        guard let kind = Self.kind(of: relative), kinds.contains(kind) else { throw Self.outside(folder) }
        return relative
    }

    /// - Parameter relative: from the other side, so whatever anybody wrote.
    func absolute(_ relative: String) throws(HypervisorError) -> String {
        try absolute(relative, of: [.checkpoint])
    }

    func absolute(_ relative: String, of kinds: Set<Kind>) throws(HypervisorError) -> String {
        guard let kind = Self.kind(of: relative), kinds.contains(kind) else { throw Self.outside(relative) }
        return "\(home)/\(relative)"
    }

    /// A file by its folder and its path in that: `checkpoints/lab/first/machines/bmc/ram`.
    func relative(_ file: FilePlace, of kinds: Set<Kind>) throws(HypervisorError) -> String {
        let path = try relative(file.folder, of: kinds) + "/\(file.path)"
        guard Self.isPath(path) else { throw Self.outside(path) }
        return path
    }

    func file(_ relative: String, of kinds: Set<Kind>) throws(HypervisorError) -> FilePlace {
        let parts = relative.split(separator: "/", omittingEmptySubsequences: false)
        let depth = parts.first == "exports" ? 2 : 3
        guard parts.count > depth, Self.isPath(relative) else { throw Self.outside(relative) }
        return FilePlace(
            folder: try absolute(parts[..<depth].joined(separator: "/"), of: kinds),
            path: parts[depth...].joined(separator: "/")
        )
    }

    private static func kind(of path: String) -> Kind? {
        guard isPath(path) else { return nil }
        let parts = path.split(separator: "/")
        switch (parts[0], parts.count) {
        case ("checkpoints", 3) where parts[2].hasSuffix(ArrivalName.suffix): return arrival(parts)
        case ("checkpoints", 3): return .checkpoint
        case ("exports", 2): return .export
        default: return nil
        }
    }

    /// Of a checkpoint that could be one, and of no other.
    private static func arrival(_ parts: [Substring]) -> Kind? {
        guard let partial = ArrivalName.partial(of: parts[2]) else { return nil }
        let name = String(partial.dropLast(ArrivalName.partial.count))
        return Name.isValid(String(parts[1])) && Name.isValid(name) ? .arrival : nil
    }

    private static func isPath(_ path: String) -> Bool {
        path.split(separator: "/", omittingEmptySubsequences: false).allSatisfy(isName)
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

extension DepartureOrder {
    /// - Parameter scratch: likewise, of a folder that is no checkpoint's.
    func mapping(
        _ map: (String) throws(HypervisorError) -> String,
        scratch mapScratch: (String) throws(HypervisorError) -> String
    ) throws(HypervisorError) -> DepartureOrder {
        var order = self
        order.checkpoint = try checkpoint.mapping(map)
        order.scratch = try mapScratch(scratch)
        return order
    }
}

extension StandaloneCheckpoint {
    func mapping(_ map: (String) throws(HypervisorError) -> String) throws(HypervisorError) -> StandaloneCheckpoint {
        var alone = self
        for (name, place) in sources { alone.sources[name]?.folder = try map(place.folder) }
        return alone
    }
}

extension ArrivalOrder {
    /// - Parameter arriving: likewise, of the folder that something came into.
    func mapping(
        _ map: (String) throws(HypervisorError) -> String,
        arriving mapArriving: (String) throws(HypervisorError) -> String
    ) throws(HypervisorError) -> ArrivalOrder {
        var order = self
        order.checkpoint = try checkpoint.mapping(mapArriving)
        order.finalFolder = try map(finalFolder)
        return order
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
