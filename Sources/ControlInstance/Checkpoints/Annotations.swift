import HypervisorAPI

/// What people say about a checkpoint. It may change, and is no part of what was saved.
public struct Annotations: Codable, Hashable, Sendable {
    /// Words to find it by; a value may be empty.
    public var labels: [String: String]
    public var note: String?

    public static let none = Annotations()
    /// Whatever has this label is never removed by a general rule.
    public static let keep = "keep"

    static let mostLabels = 64
    static let longestValue = 255
    static let longestNote = 4096

    public init(labels: [String: String] = [:], note: String? = nil) {
        self.labels = labels
        self.note = note
    }

    /// The same with some labels set and others, whose value is nil, taken away; an empty note takes the note away.
    func changed(_ labels: [String: String?], note: String?) -> Annotations {
        var changed = self
        for (key, value) in labels { changed.labels[key] = value }
        if let note { changed.note = note.isEmpty ? nil : note }
        return changed
    }

    /// - Throws: all that is wrong, with exit code 2.
    func check() throws(ControlError) {
        var reasons = labels.keys.sorted().filter { !Self.isKey($0) }.map { key in
            Reason(
                code: "label-invalid",
                message: "'\(key)' cannot be a label: up to 63 of a-z, 0-9 and . _ / -, "
                    + "the first and last a letter or digit"
            )
        }
        for (key, value) in labels.sorted(by: { $0.key < $1.key })
        where value.utf8.count > Self.longestValue || value.unicodeScalars.contains(where: { $0.value < 32 }) {
            reasons.append(
                Reason(
                    code: "label-invalid",
                    message: "the value of label '\(key)' is not one line of up to \(Self.longestValue) bytes"
                )
            )
        }
        if labels.count > Self.mostLabels {
            reasons.append(
                Reason(
                    code: "label-invalid",
                    message: "a checkpoint has up to \(Self.mostLabels) labels, not \(labels.count)"
                )
            )
        }
        if let note, note.utf8.count > Self.longestNote || note.utf8.contains(0) {
            reasons.append(
                Reason(code: "note-invalid", message: "a note is text of up to \(Self.longestNote) bytes")
            )
        }
        guard reasons.isEmpty else { throw ControlError(reasons, exitCode: 2) }
    }

    static func isKey(_ key: String) -> Bool {
        let bytes = Array(key.utf8)
        let plain = { (byte: UInt8) in
            (UInt8(ascii: "a")...UInt8(ascii: "z")).contains(byte)
                || (UInt8(ascii: "0")...UInt8(ascii: "9")).contains(byte)
        }
        guard (1...63).contains(bytes.count), let last = bytes.last, plain(bytes[0]), plain(last) else { return false }
        return bytes.allSatisfy { plain($0) || Array("._/-".utf8).contains($0) }
    }
}
