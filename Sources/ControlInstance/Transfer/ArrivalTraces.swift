/// What other hosts may have of a checkpoint that is not whole yet: folders, by host. What was there before is not among them.
struct ArrivalTraces {
    private(set) var folders: [String: [String]] = [:]

    mutating func note(_ folder: String, on host: String) { folders[host, default: []].append(folder) }

    /// - Returns: whether it was not there.
    mutating func noteFirst(_ folder: String, on host: String) -> Bool {
        guard folders[host]?.contains(folder) != true else { return false }
        note(folder, on: host)
        return true
    }

    /// It is somebody else's.
    mutating func forget(_ folder: String, on host: String) { folders[host]?.removeAll { $0 == folder } }
}
