/// Where a file lies on a host.
public struct FilePlace: Codable, Hashable, Sendable {
    /// Absolute. For who is on another host: a checkpoint's, or one for what is made of it for its way.
    public var folder: String
    /// Relative to the folder.
    public var path: String

    public init(folder: String, path: String) {
        self.folder = folder
        self.path = path
    }

    public var absolute: String { "\(folder)/\(path)" }
}
