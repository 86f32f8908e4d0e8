import ArgumentParser
import FoundationEssentials

/// Words that name a manifest.
enum ManifestCompletion {
    private static let endings = ["yaml", "yml"]

    /// What no shell takes for anything but itself: whoever made the file must not choose what a shell does.
    private static func isPlain(_ name: String) -> Bool {
        name.unicodeScalars.allSatisfy {
            $0.properties.isAlphabetic || "0123456789._+,:=@-".unicodeScalars.contains($0)
        }
    }

    static let kind = CompletionKind.file(extensions: endings)

    /// The manifests and folders of the folder that has been typed so far, named as it was.
    static func files(for prefix: String) -> [String] {
        let folder = prefix.lastIndex(of: "/").map { String(prefix[...$0]) } ?? ""
        let path = folder.isEmpty ? FileManager.default.currentDirectoryPath : folder
        let names = (try? FileManager.default.contentsOfDirectory(atPath: path)) ?? []
        return names.compactMap { name in
            guard !name.hasPrefix("."), isPlain(name) else { return nil }
            if endings.contains(where: { name.hasSuffix(".\($0)") }) { return folder + name }
            var isFolder = false
            _ = FileManager.default.fileExists(atPath: "\(path)/\(name)", isDirectory: &isFolder)
            return isFolder ? "\(folder)\(name)/" : nil
        }
    }
}
