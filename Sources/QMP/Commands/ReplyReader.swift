import JSON

/// Takes the parts of a reply out by name and kind, and says which one is not as documented.
struct ReplyReader {
    let value: JSONValue
    private let command: String
    private let address: QMPAddress
    private let path: String

    init(_ value: JSONValue, command: String, address: QMPAddress, path: String = "return") {
        self.value = value
        self.command = command
        self.address = address
        self.path = path
    }

    func string(_ key: String) throws(QMPError) -> String {
        try need(value[key]?.stringValue, key, "a string")
    }

    func bool(_ key: String) throws(QMPError) -> Bool {
        try need(value[key]?.boolValue, key, "true or false")
    }

    func integer(_ key: String) throws(QMPError) -> Int64 {
        try need(value[key]?.int64Value, key, "a whole number")
    }

    func int32(_ key: String) throws(QMPError) -> Int32 {
        try need(value[key]?.int64Value.flatMap(Int32.init(exactly:)), key, "a whole number of 32 bits")
    }

    func string() throws(QMPError) -> String {
        try need(value.stringValue, nil, "a string")
    }

    func object() throws(QMPError) -> JSONObject {
        try need(value.objectValue, nil, "an object")
    }

    /// A reader for a member that must be there.
    func member(_ key: String) throws(QMPError) -> ReplyReader {
        try reader(need(value[key], key, "a value"), "\(path).\(key)")
    }

    /// A reader for each element.
    func elements() throws(QMPError) -> [ReplyReader] {
        let elements = try need(value.arrayValue, nil, "an array")
        return elements.enumerated().map { reader($0.element, "\(path)[\($0.offset)]") }
    }

    func fault(_ key: String?, _ expected: String) -> QMPError {
        let place = key.map { "\(path).\($0)" } ?? path
        return QMPError(.unexpectedReply("\(place) is not \(expected)"), command: command, address: address)
    }

    private func need<Part>(_ part: Part?, _ key: String?, _ expected: String) throws(QMPError) -> Part {
        guard let part else { throw fault(key, expected) }
        return part
    }

    private func reader(_ value: JSONValue, _ path: String) -> ReplyReader {
        ReplyReader(value, command: command, address: address, path: path)
    }
}

extension ReplyReader {
    /// A list, each element read by `body`.
    func map<Part>(_ body: (ReplyReader) throws(QMPError) -> Part) throws(QMPError) -> [Part] {
        var parts: [Part] = []
        for element in try elements() { parts.append(try body(element)) }
        return parts
    }
}
