import FoundationEssentials

/// What lies in a folder.
enum FolderListing {
    /// Sorted; empty when there is no such folder.
    static func names(in folder: String) -> [String] {
        ((try? FileManager.default.contentsOfDirectory(atPath: folder)) ?? []).sorted()
    }
}
