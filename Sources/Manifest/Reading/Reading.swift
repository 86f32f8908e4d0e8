import Yams

/// One reading of one manifest: what it may look at, and what it has found wrong so far.
final class Reading {
    let file: String
    let folder: String
    let environment: [String: String]
    private(set) var checkingFiles: Bool
    /// What is read names files and programs of another host.
    private(set) var isElsewhere = false
    private(set) var problems: [(place: Place, message: String)] = []

    init(file: String, folder: String, environment: [String: String], checkingFiles: Bool) {
        self.file = file
        self.folder = folder
        self.environment = environment
        self.checkingFiles = checkingFiles
    }

    /// Reads what names files of another host: they are not looked for here.
    func elsewhere<Value>(_ body: () -> Value) -> Value {
        let before = checkingFiles
        (checkingFiles, isElsewhere) = (false, true)
        defer { (checkingFiles, isElsewhere) = (before, false) }
        return body()
    }

    func report(_ message: String, at place: Place) {
        // A value that was read twice, through an alias, is wrong once.
        guard !problems.contains(where: { $0.place == place && $0.message == message }) else { return }
        problems.append((place, message))
    }

    var error: ManifestError {
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
    func text(of item: Item, expected: String) -> String? {
        guard case .scalar(let scalar) = item.node else {
            report("expected \(expected), found \(item.kind)", at: item.place)
            return nil
        }
        let isNull = scalar.style == .plain && ["", "~", "null", "Null", "NULL"].contains(scalar.string)
        guard !isNull else {
            report("expected \(expected), found nothing", at: item.place)
            return nil
        }
        do throws(Expansion.Failure) {
            return try Expansion.expand(scalar.string, environment)
        } catch {
            report(error.message, at: item.place)
            return nil
        }
    }
}

extension Item {
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
