import FoundationEssentials

/// Which control instance this is, among those with the same state database.
public struct InstanceIdentity: Hashable, Sendable {
    /// Of the state folder, for good.
    public var id: String
    /// As its own host is called.
    public var name: String
    /// The state folder.
    public var home: String

    public init(id: String, name: String, home: String) {
        self.id = id
        self.name = name
        self.home = home
    }

    /// That of a state folder, which is given one if it has none.
    public static func of(home: String, name: String) throws(StoreError) -> InstanceIdentity {
        let path = "\(home)/instance"
        if let text = try? String(contentsOfFile: path, encoding: .utf8), let id = UUID(uuidString: text.trimmed) {
            return InstanceIdentity(id: id.uuidString, name: name, home: home)
        }
        let id = UUID().uuidString
        do {
            try Data("\(id)\n".utf8).write(to: URL(filePath: path), options: .atomic)
        } catch {
            throw StoreError("\(path) cannot be written: \(error)")
        }
        return InstanceIdentity(id: id, name: name, home: home)
    }
}

extension String {
    fileprivate var trimmed: String { split(whereSeparator: \.isWhitespace).first.map(String.init) ?? "" }
}
