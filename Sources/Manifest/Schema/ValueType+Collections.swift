import Yams

/// An element of a list or mapping with its place, for checks that come later.
package struct Placed<Value> {
    package var value: Value
    package var place: Place
}

extension Placed: Sendable where Value: Sendable {}

extension ValueType {
    /// All readable elements; the others have been reported.
    package static func list<Element>(
        of element: ValueType<Element>,
        atLeast minimum: Int = 0,
        _ label: String
    ) -> ValueType<[Placed<Element>]> where Value == [Placed<Element>] {
        let schema = SchemaNode.object([
            ("type", .string("array")), ("minItems", .integer(minimum)), ("items", element.schema),
        ])
        return ValueType<[Placed<Element>]>(label, schema: schema, objects: element.objects) { item, reading in
            guard case .sequence(let sequence) = item.node else {
                reading.report("expected \(label), found \(item.kind)", at: item.place)
                return nil
            }
            if sequence.count < minimum {
                let found = sequence.isEmpty ? "an empty one" : "only \(sequence.count)"
                reading.report("expected \(label), found \(found)", at: item.place)
            }
            return sequence.compactMap { node in
                let child = Item(node, under: item.place)
                return element.read(child, reading).map { Placed(value: $0, place: child.place) }
            }
        }
    }

    /// A mapping of names that the author chooses.
    package static func map<Element>(
        of what: String,
        _ element: @escaping @Sendable (String) -> ValueType<Element>,
        _ label: String
    ) -> ValueType<[Placed<Element>]> where Value == [Placed<Element>] {
        let name = ValueType<String>.name(of: what)
        let example = element("")
        let schema = SchemaNode.object([
            ("type", .string("object")),
            ("propertyNames", .object([("pattern", .string("^[a-z0-9][a-z0-9_-]{0,62}$"))])),
            ("additionalProperties", example.schema),
        ])
        return ValueType<[Placed<Element>]>(label, schema: schema, objects: example.objects) { item, reading in
            guard case .mapping(let mapping) = item.node else {
                reading.report("expected \(label), found \(item.kind)", at: item.place)
                return nil
            }
            return mapping.compactMap { key, value in
                let key = Item(key, under: item.place)
                let name = name.read(key, reading)
                // Read also when the name is wrong: its own problems count.
                let child = element(name ?? "x").read(Item(value, under: key.place), reading)
                guard name != nil, let child else { return nil }
                return Placed(value: child, place: key.place)
            }
        }
    }

    /// A mapping with known keys.
    package static func object(
        _ title: String,
        label: String,
        keys: [KeyDescription],
        _ build: @escaping @Sendable (ObjectReader) -> Value?
    ) -> ValueType {
        let required = keys.filter(\.required).map { SchemaNode.string($0.name) }
        var members: [(String, SchemaNode)] = [
            ("type", .string("object")),
            (
                "properties",
                .object(
                    keys.map { key in
                        guard case .object(let members) = key.schema else { return (key.name, key.schema) }
                        return (key.name, .object([("description", .string(key.doc))] + members))
                    }
                )
            ),
        ]
        if !required.isEmpty { members.append(("required", .array(required))) }
        members.append(("additionalProperties", .boolean(false)))
        let objects = [ObjectDescription(title: title, keys: keys)] + keys.flatMap(\.objects)
        return ValueType(label, schema: .object(members), objects: objects) { item, reading in
            guard case .mapping(let mapping) = item.node else {
                reading.report("expected \(label), found \(item.kind)", at: item.place)
                return nil
            }
            let object = ObjectReader(mapping: mapping, place: item.place, reading: reading)
            object.refuseUnknownKeys(of: keys.map(\.name), in: title)
            return build(object)
        }
    }

    /// What is either of two things, told apart by the YAML kind.
    package static func either(
        _ scalar: ValueType,
        orObject object: ValueType
    ) -> ValueType {
        let schema = SchemaNode.object([("anyOf", .array([scalar.schema, object.schema]))])
        return ValueType("\(scalar.label) or \(object.label)", schema: schema, objects: object.objects) {
            item,
            reading in
            if case .mapping = item.node { return object.read(item, reading) }
            return scalar.read(item, reading)
        }
    }

    /// A key may stand there without a value, which then is this one.
    package static func orNothing(_ type: ValueType, standard: Value) -> ValueType where Value: Sendable {
        let schema = SchemaNode.object([("anyOf", .array([type.schema, .object([("type", .string("null"))])]))])
        return ValueType(
            type.label == "nothing" ? type.label : "\(type.label), or nothing",
            schema: schema,
            objects: type.objects
        ) { item, reading in
            item.isNothing ? standard : type.read(item, reading)
        }
    }

    /// What a key cannot have.
    package static func never(_ label: String, _ message: String) -> ValueType {
        ValueType(label, schema: .object([("not", .object([]))])) { item, reading in
            reading.report(message, at: item.place)
            return nil
        }
    }

    /// A key that the format reserves.
    package static func notYet(_ what: String) -> ValueType {
        ValueType("not supported yet", schema: .object([("not", .object([]))])) { item, reading in
            reading.report("\(what) are not supported yet: leave the key out", at: item.place)
            return nil
        }
    }
}

/// The values of one mapping by their keys.
package struct ObjectReader {
    let mapping: Node.Mapping
    package let place: Place
    package let reading: Reading

    /// The value; nil when the key is not there, or after a problem was reported.
    package func callAsFunction<Value>(_ key: Key<Value>) -> Value? {
        guard let item = item(key.name) else {
            if key.required { reading.report("the key '\(key.name)' is missing: \(key.doc)", at: place) }
            return nil
        }
        return key.type.read(item, reading)
    }

    package func has<Value>(_ key: Key<Value>) -> Bool { item(key.name) != nil }

    package func place<Value>(of key: Key<Value>) -> Place { item(key.name)?.place ?? place }

    func refuseUnknownKeys(of known: [String], in title: String) {
        for (key, _) in mapping {
            let item = Item(key, under: place)
            guard case .scalar(let scalar) = key else {
                reading.report("expected a key, found \(item.kind)", at: item.place)
                continue
            }
            guard !known.contains(scalar.string) else { continue }
            let hint = Similarity.hint(for: scalar.string, among: known)
            reading.report(
                "\(title) has no key '\(scalar.string)'\(hint.isEmpty ? "; known: \(known.joined(separator: ", "))" : hint)",
                at: item.place
            )
        }
    }

    private func item(_ name: String) -> Item? {
        for (key, value) in mapping {
            guard case .scalar(let scalar) = key, scalar.string == name else { continue }
            return Item(value, under: Item(key, under: place).place)
        }
        return nil
    }
}
