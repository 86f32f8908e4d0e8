import Yams

/// `machine: pc` or `machine: {type: pc, …}`.
struct MachineType {
    var name: String
    var options: [String: String]
}

enum MachineTypeKeys {
    static let plain = ValueType<String>.string.map { text, item, reading -> MachineType? in
        guard !text.contains(","), !text.isEmpty else {
            reading.report(
                "'\(text)' is no machine type; options are written {type: pc, option: value}",
                at: item.place
            )
            return nil
        }
        return MachineType(name: text, options: [:])
    }

    /// Any key but `type` is an option of QEMU's, which only QEMU can check.
    static let open = ValueType<MachineType>(
        "a mapping with type and options",
        schema: .object([
            ("type", .string("object")),
            ("properties", .object([("type", .object([("type", .string("string"))]))])),
            ("required", .array([.string("type")])),
        ])
    ) { item, reading in
        guard case .mapping(let mapping) = item.node else {
            reading.report("expected a mapping with type and options, found \(item.kind)", at: item.place)
            return nil
        }
        var type: MachineType?
        var options: [String: String] = [:]
        for (key, value) in mapping {
            let key = Item(key, under: item.place)
            guard let name = reading.text(of: key, expected: "a key") else { continue }
            let value = Item(value, under: key.place)
            if name == "type" {
                type = plain.read(value, reading)
            } else if let text = reading.text(of: value, expected: "a string") {
                options[name] = text
            }
        }
        if type == nil, mapping["type"] == nil {
            reading.report("the key 'type' is missing: the machine type", at: item.place)
        }
        type?.options = options
        return type
    }

    static let either = ValueType<MachineType>.either(plain, orObject: open)
}
