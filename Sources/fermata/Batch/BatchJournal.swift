import Batch
import FoundationEssentials
import Glibc
import Synchronization

/// What of a batch has a result already: a file of the state folder, `batches/NAME-….jsonl`. Its first line says what the batch was, each
/// other one is a combination's result, on disk before anything else begins.
final class BatchJournal: Sendable {
    /// From earlier runs.
    let results: [CombinationResult]
    private let path: String
    /// Two runs of one file at once would write into each other's.
    private let lock: FileLock

    private struct Head: Codable, Hashable {
        var batch: String
        var file: String
        /// The texts of the batch file and its labs, by paths.
        var texts: [String: String]
        var combinations: [String]
    }

    /// - Throws: when another run has it, or nothing can be resumed.
    init(of file: BatchFile, in home: Home, resuming: Bool) throws {
        try home.create()
        let folder = "\(home.path)/batches"
        if mkdir(folder, 0o700) != 0, errno != EEXIST { throw Self.failure(folder, errno) }
        path = "\(folder)/\(file.batch.name)-\(Self.digest(file.identity)).jsonl"
        guard let lock = try FileLock(path: path) else {
            throw CommandFailure(
                .refused,
                code: "batch-running",
                "this batch is being run already, as its journal \(path) shows: wait for it, or end it"
            )
        }
        self.lock = lock
        let head = Head(
            batch: file.batch.name,
            file: file.identity,
            texts: file.texts,
            combinations: file.batch.combinations.map(\.name)
        )
        results = resuming ? try Self.read(path, head) : []
        if resuming {
            // Nothing of earlier results is written again: a crash would take them.
            try endAtWholeLine()
        } else {
            try write(try JSONText.encode(head) + [UInt8(ascii: "\n")], O_TRUNC)
            try Self.syncFolder(folder)
        }
    }

    /// What a crash has left half written at the end goes.
    private func endAtWholeLine() throws {
        let text = FileManager.default.contents(atPath: path) ?? Data()
        let whole = text.lastIndex(of: UInt8(ascii: "\n")).map { $0 + 1 } ?? 0
        guard truncate(path, off_t(whole)) == 0 else { throw Self.failure(path, errno) }
    }

    private static func syncFolder(_ folder: String) throws {
        let descriptor = open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC)
        guard descriptor >= 0 else { throw failure(folder, errno) }
        defer { close(descriptor) }
        guard fsync(descriptor) == 0 else { throw failure(folder, errno) }
    }

    /// Returns when it is on disk.
    func add(_ result: CombinationResult) throws {
        try write(try JSONText.encode(result) + [UInt8(ascii: "\n")], O_APPEND)
    }

    private static func read(_ path: String, _ head: Head) throws -> [CombinationResult] {
        let lines = (FileManager.default.contents(atPath: path) ?? Data()).split(separator: UInt8(ascii: "\n"))
        guard let first = lines.first, let old = try? JSONDecoder().decode(Head.self, from: Data(first)) else {
            throw CommandFailure(
                .refused,
                code: "batch-not-begun",
                "there is nothing to go on with: no run of \(head.file) is in the journal \(path); leave --resume away"
            )
        }
        guard old == head else {
            let changed = Set(old.texts.keys).union(head.texts.keys).sorted().first { old.texts[$0] != head.texts[$0] }
            throw CommandFailure(
                .refused,
                code: "batch-changed",
                "\(changed.map { "\($0) has" } ?? "what the environment makes of \(head.file) has") changed since that run began, "
                    + "and results of both would be mixed: run it anew, without --resume"
            )
        }
        let results = lines.dropFirst().compactMap { try? JSONDecoder().decode(CombinationResult.self, from: Data($0)) }
        return results.filter { head.combinations.indices.contains($0.number - 1) }
    }

    private func write(_ data: Data, _ flags: Int32) throws {
        let descriptor = open(path, O_WRONLY | O_CREAT | O_CLOEXEC | flags, 0o600)
        guard descriptor >= 0 else { throw Self.failure(path, errno) }
        defer { close(descriptor) }
        try Array(data).withUnsafeBytes { bytes in
            var rest = bytes[...]
            while !rest.isEmpty {
                let count = Glibc.write(descriptor, UnsafeRawBufferPointer(rebasing: rest).baseAddress, rest.count)
                if count < 0, errno == EINTR { continue }
                guard count > 0 else { throw Self.failure(path, errno) }
                rest = rest.dropFirst(count)
            }
        }
        guard fsync(descriptor) == 0 else { throw Self.failure(path, errno) }
    }

    private static func failure(_ path: String, _ code: Int32) -> CommandFailure {
        CommandFailure(
            .failed,
            code: "file-not-writable",
            "the journal \(path) cannot be written: \(SystemError.text(code))"
        )
    }

    /// FNV-1a: two files of one name have two journals.
    private static func digest(_ text: String) -> String {
        let hash = text.utf8.reduce(UInt64(0xcbf2_9ce4_8422_2325)) { ($0 ^ UInt64($1)) &* 0x100_0000_01b3 }
        return String(hash, radix: 16)
    }
}
