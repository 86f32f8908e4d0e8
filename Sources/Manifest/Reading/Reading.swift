import Yams

/// One reading of one manifest, or of another file in the same manner: what it may look at, and what it has found wrong so far.
package final class Reading {
    let file: String
    package let folder: String
    package let environment: [String: String]
    /// What the file is called in sentences: `manifest`.
    let subject: String
    /// For `${{ name }}`; nil: the file has no such thing.
    package var values: [String: String]?
    private(set) var checkingFiles: Bool
    /// What is read names files and programs of another host.
    private(set) var isElsewhere = false
    package private(set) var problems: [(place: Place, message: String)] = []

    package init(
        file: String,
        folder: String,
        environment: [String: String],
        checkingFiles: Bool,
        subject: String = "manifest",
        values: [String: String]? = nil
    ) {
        self.file = file
        self.folder = folder
        self.environment = environment
        self.checkingFiles = checkingFiles
        self.subject = subject
        self.values = values
    }

    /// - Returns: nil after a problem was reported; others may have been, too, when it is not.
    package func read<Value>(_ text: String, as type: ValueType<Value>) -> Value? {
        guard let root = compose(text) else { return nil }
        return type.read(Item(root, under: Place(line: 1, column: 1)), self)
    }

    /// Reads what names files of another host: they are not looked for here.
    func elsewhere<Value>(_ body: () -> Value) -> Value {
        let before = checkingFiles
        (checkingFiles, isElsewhere) = (false, true)
        defer { (checkingFiles, isElsewhere) = (before, false) }
        return body()
    }

    package func report(_ message: String, at place: Place) {
        // A value that was read twice, through an alias, is wrong once.
        guard !problems.contains(where: { $0.place == place && $0.message == message }) else { return }
        problems.append((place, message))
    }

    package var error: ManifestError {
        let sorted = problems.enumerated().sorted { ($0.element.place, $0.offset) < ($1.element.place, $1.offset) }
        return ManifestError(
            problems: sorted.map {
                ManifestProblem(
                    file: file,
                    line: $0.element.place.line,
                    column: $0.element.place.column,
                    message: $0.element.message
                )
            }
        )
    }

    /// The text of a scalar with its variables expanded; nil, with a problem, for anything else.
    package func text(of item: Item, expected: String) -> String? {
        guard case .scalar(let scalar) = item.node else {
            report("expected \(expected), found \(item.kind)", at: item.place)
            return nil
        }
        guard !item.isNothing else {
            report("expected \(expected), found nothing", at: item.place)
            return nil
        }
        do throws(Expansion.Failure) {
            return try Expansion.expand(scalar.string, environment, values: values)
        } catch {
            report(error.message, at: item.place)
            return nil
        }
    }
}

extension Item {
    /// A key without a value.
    var isNothing: Bool {
        guard case .scalar(let scalar) = node else { return false }
        return scalar.style == .plain && ["", "~", "null", "Null", "NULL"].contains(scalar.string)
    }

    /// For people.
    var kind: String {
        switch node {
        case .scalar(let scalar): "'\(scalar.string.prefix(40))'"
        case .sequence: "a list"
        case .mapping: "a mapping"
        case .alias: "an alias"
        }
    }
}
