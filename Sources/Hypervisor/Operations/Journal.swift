import FoundationEssentials
import Glibc
import HypervisorAPI

/// The operations that this hypervisor has under way, one file each: how it began, and in a line each behind it how far it came.
///
/// To write down a step costs one flush of the disk, and a new file three: meanwhile an instant comes near, or machines stand still.
struct Journal: Sendable {
    let folder: String

    /// Before the first thing that would need undoing.
    func begin(_ entry: JournalEntry) throws(HypervisorError) {
        try DurableFile.write(entry, to: path(of: entry.operation))
    }

    /// - Parameter entry: of an operation that has begun, as it is from now on.
    func note(_ entry: JournalEntry) throws(HypervisorError) {
        let path = path(of: entry.operation)
        let line = try [UInt8(ascii: "\n")] + DurableFile.encode(entry, for: path)
        // One that was settled, and is told again.
        guard try DurableFile.append(line, to: path) else { return try begin(entry) }
    }

    func remove(_ operation: OperationID) throws(HypervisorError) {
        try DurableFile.remove(path(of: operation))
    }

    /// Entries that cannot be read are reported by path, not dropped: somebody may have to look at them.
    func load() -> (entries: [JournalEntry], unreadable: [HypervisorError]) {
        var entries: [JournalEntry] = []
        var unreadable: [HypervisorError] = []
        let names = (try? FileManager.default.contentsOfDirectory(atPath: folder)) ?? []
        // Whoever wrote them died before the entry had its name: it never was one.
        for name in names where name.hasSuffix(DurableFile.unfinished) { unlink("\(folder)/\(name)") }
        for name in names.sorted() where name.hasSuffix(".json") {
            do throws(HypervisorError) {
                entries.append(try read("\(folder)/\(name)"))
            } catch {
                unreadable.append(error)
            }
        }
        return (entries, unreadable)
    }

    /// The last step that is whole. One that is not was cut short when its writer died: nobody was told of it, and the next one must not be
    /// written behind it.
    private func read(_ path: String) throws(HypervisorError) -> JournalEntry {
        let lines = try DurableFile.lines(of: path)
        var entry = try DurableFile.decode(JournalEntry.self, lines.first ?? Data(), of: path)
        var isWhole = true
        for line in lines.dropFirst() {
            if let step = try? DurableFile.decode(JournalEntry.self, line, of: path) {
                entry = step
            } else {
                isWhole = false
            }
        }
        if !isWhole { try begin(entry) }
        return entry
    }

    private func path(of operation: OperationID) -> String { "\(folder)/\(operation.text).json" }
}
