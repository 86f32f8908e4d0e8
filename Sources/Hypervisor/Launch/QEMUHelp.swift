import FoundationEssentials
import Glibc

/// Reads what QEMU prints about itself.
enum QEMUHelp {
    /// `QEMU emulator version 7.2.22 (Debian …)` → 7, 2, 22.
    static func version(in text: String) -> [Int]? {
        guard let range = text.firstRange(of: "emulator version ") else { return nil }
        let number = text[range.upperBound...].prefix { $0.isNumber || $0 == "." }
        let parts = number.split(separator: ".").compactMap { Int($0) }
        return parts.count >= 2 ? parts : nil
    }

    /// `pc   Standard PC (i440FX + PIIX, 1996) (alias of pc-i440fx-7.2)`, a line each.
    static func machines(in text: String) -> [QEMUFacts.Machine] {
        text.split(whereSeparator: \.isNewline).dropFirst().compactMap { line in
            guard let name = line.split(whereSeparator: \.isWhitespace).first else { return nil }
            let alias = line.firstRange(of: "(alias of ").map { line[$0.upperBound...].prefix { $0 != ")" } }
            return QEMUFacts.Machine(name: String(name), aliasOf: alias.map { String($0) })
        }
    }

    /// The answer to `query-machines`, among other lines of a monitor.
    static func memoryIDs(in text: String) -> [String: String] {
        struct Machine: Decodable {
            var name: String
            var defaultRAMID: String?
            enum CodingKeys: String, CodingKey {
                case name
                case defaultRAMID = "default-ram-id"
            }
        }
        struct Answer: Decodable { var `return`: [Machine] }
        let answers = text.split(whereSeparator: \.isNewline).compactMap {
            try? JSONDecoder().decode(Answer.self, from: Data($0.utf8))
        }
        return answers.flatMap(\.return).reduce(into: [:]) { $0[$1.name] = $1.defaultRAMID }
    }

    /// By the name under which QEMU is installed everywhere; one with another name (`qemu-kvm`) is the host's own kind.
    static func target(ofBinary path: String) -> String {
        for candidate in [path, resolved(path) ?? path] {
            let name = candidate.split(separator: "/").last ?? ""
            if name.hasPrefix("qemu-system-") {
                return String(name.dropFirst("qemu-system-".count).prefix { $0.isLetter || $0.isNumber || $0 == "_" })
            }
        }
        return HostArchitecture.name
    }

    private static func resolved(_ path: String) -> String? {
        guard let real = realpath(path, nil) else { return nil }
        defer { free(real) }
        return String(cString: real)
    }
}
