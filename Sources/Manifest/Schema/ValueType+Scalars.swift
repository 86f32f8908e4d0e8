package import GuestClock
import SerialText
package import Time

/// Every scalar may be written with variables, which JSON schema can only know as a string with `${`.
private func scalar(_ members: [(String, SchemaNode)], orVariable: Bool = true) -> SchemaNode {
    let plain = SchemaNode.object(members)
    guard orVariable else { return plain }
    return .object([
        ("anyOf", .array([plain, .object([("type", .string("string")), ("pattern", .string("\\$\\{"))])]))
    ])
}

extension ValueType where Value == String {
    package static let string = ValueType(
        "a string",
        schema: scalar([("type", .array([.string("string"), .string("number")]))])
    ) {
        item,
        reading in reading.text(of: item, expected: "a string")
    }

    /// A regular expression that is looked for in what a console says.
    package static let pattern = string.map { text, item, reading -> String? in
        guard let problem = Pattern.problem(of: text) else { return text }
        reading.report(problem, at: item.place)
        return nil
    }

    /// `[a-z0-9][a-z0-9_-]{0,62}`: it becomes a file name.
    package static func name(of what: String) -> ValueType {
        let pattern = "^[a-z0-9][a-z0-9_-]{0,62}$"
        let schema = scalar([("type", .string("string")), ("pattern", .string(pattern))])
        return ValueType("the name of a \(what)", schema: schema) { item, reading in
            guard let text = reading.text(of: item, expected: "the name of a \(what)") else { return nil }
            guard isName(text) else {
                reading.report(
                    "'\(text)' cannot be the name of a \(what): up to 63 of a-z, 0-9, _ and -, the first a letter or digit",
                    at: item.place
                )
                return nil
            }
            return text
        }
    }

    /// A path, made absolute from the manifest's folder; a file that is there, when files are checked.
    package static let file = ValueType("a file", schema: scalar([("type", .string("string"))], orVariable: false)) {
        item,
        reading in
        guard let text = reading.text(of: item, expected: "a file") else { return nil }
        let path = Paths.absolute(text, from: reading.folder)
        if reading.checkingFiles, !Paths.isFile(path) {
            reading.report("there is no file \(path)", at: item.place)
            return nil
        }
        return path
    }

    package static let mac = ValueType(
        "a MAC address",
        schema: scalar([("type", .string("string")), ("pattern", .string("^([0-9a-fA-F]{2}:){5}[0-9a-fA-F]{2}$"))])
    ) { item, reading in
        guard let text = reading.text(of: item, expected: "a MAC address") else { return nil }
        let bytes = text.split(separator: ":", omittingEmptySubsequences: false).map { part in
            part.utf8.count == 2 && !part.hasPrefix("+") ? UInt8(part, radix: 16) : nil
        }
        guard bytes.count == 6, bytes.allSatisfy({ $0 != nil }) else {
            reading.report("'\(text)' is no MAC address such as 52:54:00:12:34:56", at: item.place)
            return nil
        }
        guard let first = bytes[0], first & 1 == 0 else {
            reading.report("'\(text)' is a group address, and a device needs one of its own", at: item.place)
            return nil
        }
        return text.lowercased()
    }

    package static func isName(_ text: String) -> Bool {
        let plain = { (byte: UInt8) in
            (UInt8(ascii: "a")...UInt8(ascii: "z")).contains(byte)
                || (UInt8(ascii: "0")...UInt8(ascii: "9")).contains(byte)
        }
        return (1...63).contains(text.utf8.count) && text.utf8.first.map(plain) == true
            && text.utf8.allSatisfy { plain($0) || $0 == UInt8(ascii: "_") || $0 == UInt8(ascii: "-") }
    }
}

extension ValueType where Value == Int {
    package static func integer(_ range: ClosedRange<Int>) -> ValueType {
        let label = "a whole number from \(range.lowerBound) to \(range.upperBound)"
        let schema = scalar([
            ("type", .string("integer")), ("minimum", .integer(range.lowerBound)),
            ("maximum", .integer(range.upperBound)),
        ])
        return ValueType(label, schema: schema) { item, reading in
            guard let text = reading.text(of: item, expected: label) else { return nil }
            guard let number = Int(text), range.contains(number) else {
                reading.report("expected \(label), found '\(text)'", at: item.place)
                return nil
            }
            return number
        }
    }
}

extension ValueType where Value == Bool {
    package static let boolean = ValueType("true or false", schema: scalar([("type", .string("boolean"))])) {
        item,
        reading in
        guard let text = reading.text(of: item, expected: "true or false") else { return nil }
        switch text.lowercased() {
        case "true", "yes", "on": return true
        case "false", "no", "off": return false
        default:
            reading.report("expected true or false, found '\(text)'", at: item.place)
            return nil
        }
    }
}

extension ValueType where Value == UInt64 {
    /// Bytes, with K, M, G or T for powers of 1024, as QEMU has it.
    package static let size = ValueType(
        "a size such as 128M",
        schema: scalar([
            ("type", .array([.string("string"), .string("integer")])), ("pattern", .string("^[0-9]+[KMGT]?$")),
        ])
    ) { item, reading in
        guard let text = reading.text(of: item, expected: "a size such as 128M") else { return nil }
        guard let bytes = ByteCount.parse(text) else {
            reading.report(
                "expected a size such as 128M, in bytes or with K, M, G or T, found '\(text)'",
                at: item.place
            )
            return nil
        }
        guard bytes > 0, bytes <= 1 << 50 else {
            reading.report("'\(text)' is no size that a machine can have", at: item.place)
            return nil
        }
        return bytes
    }
}

extension ValueType where Value == UInt64 {
    /// As ``size``, of whole disks.
    package static let quota = ValueType("a size such as 20G", schema: size.schema) { item, reading in
        guard let text = reading.text(of: item, expected: "a size such as 20G") else { return nil }
        guard let bytes = ByteCount.parse(text), bytes > 0, bytes <= 1 << 60 else {
            reading.report(
                "expected a size such as 20G, in bytes or with K, M, G or T, found '\(text)'",
                at: item.place
            )
            return nil
        }
        return bytes
    }
}

extension ValueType where Value == Span {
    package static let duration = ValueType("a duration such as 10s", schema: scalar([("type", .string("string"))])) {
        item,
        reading in
        guard let text = reading.text(of: item, expected: "a duration such as 10s") else { return nil }
        do throws(TimeTextError) {
            let span = try Span(parsing: text)
            guard span > .zero else {
                reading.report("expected a duration longer than nothing, found '\(text)'", at: item.place)
                return nil
            }
            return span
        } catch {
            reading.report(error.description, at: item.place)
            return nil
        }
    }
}

extension ValueType where Value == HostInstant {
    package static let instant = ValueType("an ISO 8601 time", schema: scalar([("type", .string("string"))])) {
        item,
        reading in
        guard let text = reading.text(of: item, expected: "an ISO 8601 time") else { return nil }
        do throws(TimeTextError) {
            return try HostInstant(parsing: text)
        } catch {
            reading.report(error.description, at: item.place)
            return nil
        }
    }
}

extension ValueType where Value == ClockPolicy {
    package static let policy = ValueType(
        "a clock policy",
        schema: scalar([("type", .string("string")), ("pattern", .string("^(continue|host|[+-].+|at=.+)$"))])
    ) { item, reading in
        guard let text = reading.text(of: item, expected: "a clock policy") else { return nil }
        do throws(ClockError) {
            return try ClockPolicy(text: text)
        } catch {
            reading.report(error.description, at: item.place)
            return nil
        }
    }
}

extension ValueType where Value: RawRepresentable<String> & CaseIterable & SendableMetatype {
    package static var word: ValueType {
        let words = Value.allCases.map(\.rawValue)
        let label = words.joined(separator: " or ")
        return ValueType(label, schema: scalar([("enum", .array(words.map { .string($0) }))])) { item, reading in
            guard let text = reading.text(of: item, expected: label) else { return nil }
            guard let value = Value(rawValue: text) else {
                let hint = Similarity.hint(for: text, among: words)
                reading.report("expected \(label), found '\(text)'\(hint)", at: item.place)
                return nil
            }
            return value
        }
    }
}
