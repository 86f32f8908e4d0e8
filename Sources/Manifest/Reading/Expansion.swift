/// `${VAR}` and `${VAR:-default}` in a manifest's strings, and in a batch file's `${{ name }}`; `$${` is a plain `${`.
enum Expansion {
    struct Failure: Error {
        var message: String
    }

    /// - Parameter values: for `${{ name }}`; nil: there is no such thing.
    static func expand(
        _ text: String,
        _ environment: [String: String],
        values: [String: String]? = nil
    ) throws(Failure) -> String {
        var result = ""
        var rest = Substring(text)
        while let dollar = rest.firstIndex(of: "$") {
            result += rest[..<dollar]
            rest = rest[dollar...]
            if rest.hasPrefix("$${") {
                result += "${"
                rest = rest.dropFirst(3)
            } else if rest.hasPrefix("${{"), let values {
                guard let end = rest.firstRange(of: "}}") else {
                    throw Failure(message: "'${{' is not closed by '}}'")
                }
                result += try value(named: rest[rest.index(rest.startIndex, offsetBy: 3)..<end.lowerBound], values)
                rest = rest[end.upperBound...]
            } else if rest.hasPrefix("${") {
                guard let end = rest.firstIndex(of: "}") else { throw Failure(message: "'${' is not closed by '}'") }
                result += try value(of: rest[rest.index(rest.startIndex, offsetBy: 2)..<end], environment)
                rest = rest[rest.index(after: end)...]
            } else {
                result += "$"
                rest = rest.dropFirst()
            }
        }
        return result + rest
    }

    private static func value(named inside: Substring, _ values: [String: String]) throws(Failure) -> String {
        let name = inside.drop { $0 == " " }.prefix { $0 != " " }
        guard inside.drop(while: { $0 == " " }).dropFirst(name.count).allSatisfy({ $0 == " " }) else {
            throw Failure(message: "'${{\(inside)}}' names no value: write ${{ name }}")
        }
        guard let value = values[String(name)] else {
            let known = values.keys.sorted()
            let hint = Similarity.hint(for: String(name), among: known)
            let list = known.isEmpty ? "; there are none here" : "; known here: \(known.joined(separator: ", "))"
            throw Failure(message: "there is no value '\(name)'\(hint.isEmpty ? list : hint)")
        }
        return value
    }

    private static func value(of inside: Substring, _ environment: [String: String]) throws(Failure) -> String {
        let name = inside.prefix { $0 == "_" || $0.isASCII && ($0.isLetter || $0.isNumber) }
        let rest = inside.dropFirst(name.count)
        guard let first = name.first, !first.isNumber, rest.isEmpty || rest.hasPrefix(":-") else {
            throw Failure(message: "'${\(inside)}' names no variable: write ${NAME} or ${NAME:-default}")
        }
        let value = environment[String(name)]
        if rest.isEmpty {
            guard let value else {
                throw Failure(
                    message: "the environment variable \(name) is not set; ${\(name):-default} gives a default"
                )
            }
            return value
        }
        // As in a shell: the default also stands in for an empty value.
        guard let value, !value.isEmpty else { return String(rest.dropFirst(2)) }
        return value
    }
}
