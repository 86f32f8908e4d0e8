/// What a value of a manifest can be: how it is called, what the JSON schema says of it, how it is read.
struct ValueType<Value>: Sendable {
    /// For people, with an article: `a size such as 128M`.
    let label: String
    let schema: SchemaNode
    /// Itself and all below it, for the table of keys.
    let objects: [ObjectDescription]
    /// nil after a problem was reported.
    let read: @Sendable (Item, Reading) -> Value?

    init(
        _ label: String,
        schema: SchemaNode,
        objects: [ObjectDescription] = [],
        read: @escaping @Sendable (Item, Reading) -> Value?
    ) {
        self.label = label
        self.schema = schema
        self.objects = objects
        self.read = read
    }

    func map<Other>(_ transform: @escaping @Sendable (Value, Item, Reading) -> Other?) -> ValueType<Other> {
        let read = read
        return ValueType<Other>(label, schema: schema, objects: objects) { item, reading in
            read(item, reading).flatMap { transform($0, item, reading) }
        }
    }
}

/// One kind of mapping, for the table of keys.
struct ObjectDescription: Sendable {
    var title: String
    var keys: [KeyDescription]
}

struct KeyDescription: Sendable {
    var name: String
    var label: String
    var schema: SchemaNode
    var required: Bool
    /// What holds without the key, as the manifest would write it.
    var standard: String?
    var doc: String
    var objects: [ObjectDescription]
}

/// A key of a mapping: the one place that says what it is called, takes and means.
struct Key<Value>: Sendable {
    let name: String
    let type: ValueType<Value>
    let required: Bool
    let standard: String?
    let doc: String

    init(_ name: String, _ type: ValueType<Value>, required: Bool = false, standard: String? = nil, _ doc: String) {
        self.name = name
        self.type = type
        self.required = required
        self.standard = standard
        self.doc = doc
    }

    var description: KeyDescription {
        KeyDescription(
            name: name,
            label: type.label,
            schema: type.schema,
            required: required,
            standard: standard,
            doc: doc,
            objects: type.objects
        )
    }
}
