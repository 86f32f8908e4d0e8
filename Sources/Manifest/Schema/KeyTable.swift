/// The table of keys in docs/manifest.md.
package enum KeyTable {
    package static func markdown(of objects: [ObjectDescription]) -> String {
        var seen: Set<String> = []
        return objects.filter { seen.insert($0.title).inserted }.map { object in
            let rows = object.keys.map { key in
                let standard = key.required ? "required" : key.standard.map { "`\($0)`" } ?? ""
                return "| `\(key.name)` | \(key.label) | \(standard) | \(key.doc) |"
            }
            return "### \(object.title)\n\n| key | takes | default | meaning |\n| --- | --- | --- | --- |\n"
                + rows.joined(separator: "\n") + "\n"
        }.joined(separator: "\n")
    }
}
