/// What a value of a manifest can be: how it is called, what the JSON schema says of it, how it is read.
package struct ValueType<Value>: Sendable {
    /// For people, with an article: `a size such as 128M`.
    package let label: String
    package let schema: SchemaNode
    /// Itself and all below it, for the table of keys.
    package let objects: [ObjectDescription]
    /// nil after a problem was reported.
    package let read: @Sendable (Item, Reading) -> Value?

    package init(
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

    package func map<Other>(_ transform: @escaping @Sendable (Value, Item, Reading) -> Other?) -> ValueType<Other> {
        let read = read
        return ValueType<Other>(label, schema: schema, objects: objects) { item, reading in
            read(item, reading).flatMap { transform($0, item, reading) }
        }
    }
}

/// One kind of mapping, for the table of keys.
package struct ObjectDescription: Sendable {
    package var title: String
    package var keys: [KeyDescription]
}

package struct KeyDescription: Sendable {
    package var name: String
    package var label: String
    package var schema: SchemaNode
    package var required: Bool
    /// What holds without the key, as the manifest would write it.
    package var standard: String?
    package var doc: String
    package var objects: [ObjectDescription]
}

/// A key of a mapping: the one place that says what it is called, takes and means.
package struct Key<Value>: Sendable {
    package let name: String
    package let type: ValueType<Value>
    package let required: Bool
    package let standard: String?
    package let doc: String

    package init(
        _ name: String,
        _ type: ValueType<Value>,
        required: Bool = false,
        standard: String? = nil,
        _ doc: String
    ) {
        self.name = name
        self.type = type
        self.required = required
        self.standard = standard
        self.doc = doc
    }

    package var description: KeyDescription {
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
