import JSON

/// The options of one `-drive` or `-blockdev`, written as keys with dots or as JSON.
enum BlockOptions: Hashable, Sendable {
    case text(OptionValue)
    case json(JSONValue)

    init?(_ value: String) {
        guard value.hasPrefix("{") else {
            self = .text(OptionValue(value))
            return
        }
        guard let parsed = try? JSONValue(parsing: value), parsed.objectValue != nil else { return nil }
        self = .json(parsed)
    }

    subscript(key: String) -> String? {
        get {
            switch self {
            case .text(let options):
                return options[key]
            case .json(let value):
                return Self.word(key.split(separator: ".").reduce(value) { $0?[String($1)] })
            }
        }
        set {
            switch self {
            case .text(var options):
                options[key] = newValue
                self = .text(options)
            case .json(let value):
                self = .json(Self.replacing(value, key.split(separator: ".").map { String($0) }[...], newValue))
            }
        }
    }

    /// Takes away a key with all that is below it.
    mutating func remove(_ key: String) {
        switch self {
        case .text(var options):
            options.pairs.removeAll { $0.key == key || $0.key.hasPrefix(key + ".") }
            self = .text(options)
        case .json:
            self[key] = nil
        }
    }

    var text: String {
        switch self {
        case .text(let options): options.text
        case .json(let value): "\(value)"
        }
    }

    private static func word(_ value: JSONValue?) -> String? {
        switch value {
        case .string(let text): text
        case .bool(let isOn): isOn ? "on" : "off"
        default: nil
        }
    }

    private static func replacing(_ value: JSONValue, _ path: ArraySlice<String>, _ leaf: String?) -> JSONValue {
        guard let key = path.first else { return leaf.map { .string($0) } ?? .null }
        var object = value.objectValue ?? JSONObject()
        if path.count == 1 {
            object[key] = leaf.map { JSONValue.string($0) }
        } else {
            object[key] = replacing(object[key] ?? .object(JSONObject()), path.dropFirst(), leaf)
        }
        return .object(object)
    }
}
