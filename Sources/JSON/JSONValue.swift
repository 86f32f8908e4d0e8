/// One JSON value (RFC 8259), with whole numbers kept exact over the 64-bit range.
public enum JSONValue: Hashable, Sendable {
    case null
    case bool(Bool)
    /// A number without fraction and exponent that fits Int64; `-0` is this 0.
    case integer(Int64)
    /// Only above `Int64.max`, so that equal numbers are equal values; make them with ``init(_:)-(UInt64)``.
    case unsigned(UInt64)
    /// A number written with a fraction or an exponent; finite when it was parsed.
    case double(Double)
    case string(String)
    case array([JSONValue])
    case object(JSONObject)
}

extension JSONValue {
    public init(_ number: UInt64) {
        self = Int64(exactly: number).map(JSONValue.integer) ?? .unsigned(number)
    }

    public var isNull: Bool { self == .null }

    public var boolValue: Bool? {
        if case .bool(let value) = self { value } else { nil }
    }

    /// Nil for anything but a whole number in the range; `1.0` is none.
    public var int64Value: Int64? {
        if case .integer(let value) = self { value } else { nil }
    }

    /// Nil for anything but a whole number in the range; `1.0` is none.
    public var uint64Value: UInt64? {
        switch self {
        case .integer(let value): UInt64(exactly: value)
        case .unsigned(let value): value
        default: nil
        }
    }

    /// Any number, rounded to the nearest double.
    public var doubleValue: Double? {
        switch self {
        case .integer(let value): Double(value)
        case .unsigned(let value): Double(value)
        case .double(let value): value
        default: nil
        }
    }

    public var stringValue: String? {
        if case .string(let value) = self { value } else { nil }
    }

    public var arrayValue: [JSONValue]? {
        if case .array(let value) = self { value } else { nil }
    }

    public var objectValue: JSONObject? {
        if case .object(let value) = self { value } else { nil }
    }

    /// The member of that name (the last one, if there are several); nil for anything but an object.
    public subscript(key: String) -> JSONValue? {
        objectValue?[key]
    }

    /// The element at that place; nil for anything but an array, and beyond its ends.
    public subscript(index: Int) -> JSONValue? {
        guard case .array(let elements) = self, elements.indices.contains(index) else { return nil }
        return elements[index]
    }
}
