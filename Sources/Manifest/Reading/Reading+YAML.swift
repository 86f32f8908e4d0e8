import Yams

extension Reading {
    /// The YAML tree; nil, with a problem, when there is none.
    func compose(_ text: String) -> Node? {
        guard text.utf8.count <= Manifest.sizeLimit else {
            report("the \(subject) is larger than one can be", at: Place(line: 1, column: 1))
            return nil
        }
        if let place = Nesting.tooDeep(in: text) {
            report("nested deeper than a \(subject) can be", at: place)
            return nil
        }
        do {
            guard let node = try Yams.compose(yaml: text) else {
                report("the \(subject) is empty", at: Place(line: 1, column: 1))
                return nil
            }
            return node
        } catch let error as YamlError {
            report(error, in: text)
        } catch {
            report("not YAML: \(error)", at: Place(line: 1, column: 1))
        }
        return nil
    }

    private func report(_ error: YamlError, in text: String) {
        switch error {
        case .scanner(let context, let problem, let mark, _), .parser(let context, let problem, let mark, _),
            .composer(let context, let problem, let mark, _):
            let before = context.map { "\($0.text): " } ?? ""
            report("not YAML: \(before)\(problem)", at: Place(line: mark.line, column: mark.column))
        case .reader(let problem, let offset, _, _):
            report("not YAML: \(problem)", at: place(ofCharacter: offset ?? 0, in: text))
        case .duplicatedKeysInMapping(let keys, let context):
            let start = Place(line: context.mark.line, column: context.mark.column)
            for key in keys {
                report("the key '\(key)' is there twice", at: secondPlace(of: key, from: start, in: text) ?? start)
            }
        default:
            report("not YAML: \(error)", at: Place(line: 1, column: 1))
        }
    }

    private func place(ofCharacter offset: Int, in text: String) -> Place {
        let before = text.prefix(offset)
        let line = before.split(separator: "\n", omittingEmptySubsequences: false).count
        let column =
            (before.split(separator: "\n", omittingEmptySubsequences: false).last?.unicodeScalars.count ?? 0) + 1
        return Place(line: line, column: column)
    }

    /// The YAML reader tells only where the mapping begins. In a block mapping all keys begin in the same column.
    private func secondPlace(of key: String, from start: Place, in text: String) -> Place? {
        let lines = text.split(omittingEmptySubsequences: false) { $0.isNewline }
        var seen = 0
        for (index, line) in lines.enumerated() where index >= start.line - 1 {
            let content = line.drop { $0 == " " }
            let indentation = line.count - content.count
            let isFirst = index == start.line - 1
            if !isFirst, !content.isEmpty, !content.hasPrefix("#"), indentation < start.column - 1 { break }
            // The first key may follow something in its line: `- key:`.
            let candidate = isFirst ? line.dropFirst(start.column - 1) : content
            guard isFirst || indentation == start.column - 1 else { continue }
            let named = [key, "\"\(key)\"", "'\(key)'"].contains { name in
                candidate.hasPrefix(name) && candidate.dropFirst(name.count).drop { $0 == " " }.hasPrefix(":")
            }
            guard named else { continue }
            seen += 1
            if seen == 2 { return Place(line: index + 1, column: start.column) }
        }
        return nil
    }
}

/// Looks at nesting before the recursive YAML reader does.
enum Nesting {
    static func tooDeep(in text: String) -> Place? {
        var line = 1
        var column = 0
        var brackets = 0
        var lead = 0
        var leading = true
        for scalar in text.unicodeScalars {
            column += 1
            switch scalar {
            case "\n":
                line += 1
                column = 0
                lead = 0
                leading = true
            // Collections may open in the lead of a line without any bracket: `- - - ? - `, or one a column deeper each line.
            case " ", "-", "?", ":": lead += leading ? 1 : 0
            case "[", "{":
                brackets += 1
                leading = false
            case "]", "}":
                brackets -= brackets > 0 ? 1 : 0
                leading = false
            default: leading = false
            }
            if brackets > Manifest.depthLimit || lead > 4 * Manifest.depthLimit {
                return Place(line: line, column: column)
            }
        }
        return nil
    }
}
