/// One value of a QEMU option: `first,key=value,key=value`, commas doubled inside values; or JSON.
struct OptionValue: Hashable, Sendable {
    /// Pairs in order; the first may have no key, or a flag no value.
    var pairs: [(key: String, value: String?)]

    init(_ text: String) {
        var parts: [String] = []
        var current = ""
        var rest = text[...]
        while let character = rest.first {
            rest = rest.dropFirst()
            guard character == "," else {
                current.append(character)
                continue
            }
            if rest.first == "," {
                rest = rest.dropFirst()
                current.append(",")
            } else {
                parts.append(current)
                current = ""
            }
        }
        parts.append(current)
        pairs = parts.map { part in
            guard let equals = part.firstIndex(of: "=") else { return (part, nil) }
            return (String(part[..<equals]), String(part[part.index(after: equals)...]))
        }
    }

    subscript(key: String) -> String? {
        get { pairs.last { $0.key == key && $0.value != nil }?.value }
        set {
            let first = pairs.firstIndex { $0.key == key && $0.value != nil }
            pairs.removeAll { $0.key == key && $0.value != nil }
            if let newValue { pairs.insert((key, newValue), at: min(first ?? pairs.count, pairs.count)) }
        }
    }

    /// What stands in front without a key, as the type in `-device e1000,…`.
    var head: String? {
        get { pairs.first.flatMap { $0.value == nil ? $0.key : nil } }
        set {
            if head != nil { pairs.removeFirst() }
            if let newValue { pairs.insert((newValue, nil), at: 0) }
        }
    }

    var text: String {
        pairs.map { key, value in
            guard let value else { return CommandLine.escaped(key) }
            return "\(key)=\(CommandLine.escaped(value))"
        }.joined(separator: ",")
    }

    static func == (left: OptionValue, right: OptionValue) -> Bool { left.text == right.text }

    func hash(into hasher: inout Hasher) { hasher.combine(text) }
}
