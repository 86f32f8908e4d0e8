import ControlInstance

enum LabelText {
    /// `keep, stage=login`.
    static func words(_ labels: [String: String]) -> String {
        labels.sorted { $0.key < $1.key }.map { $0.value.isEmpty ? $0.key : "\($0.key)=\($0.value)" }
            .joined(separator: ", ")
    }

    /// A note as one line of a table.
    static func line(_ note: String?) -> String {
        guard let note else { return "" }
        let line = note.split(whereSeparator: \.isNewline).first.map(String.init) ?? ""
        return line.count > 60 || line.count < note.count ? line.prefix(59) + "…" : line
    }
}
