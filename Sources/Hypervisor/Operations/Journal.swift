import FoundationEssentials
import Glibc
import HypervisorAPI

/// The operations that this hypervisor has under way, one durable file each.
struct Journal: Sendable {
    let folder: String

    func write(_ entry: JournalEntry) throws(HypervisorError) {
        try DurableFile.write(entry, to: path(of: entry.operation))
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
                entries.append(try DurableFile.read(JournalEntry.self, from: "\(folder)/\(name)"))
            } catch {
                unreadable.append(error)
            }
        }
        return (entries, unreadable)
    }

    private func path(of operation: OperationID) -> String { "\(folder)/\(operation.text).json" }
}
