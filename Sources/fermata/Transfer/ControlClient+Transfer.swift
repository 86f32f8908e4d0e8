import Archive
import AsyncHTTPClient
import Dispatch
import FoundationEssentials
import NIOCore
import NIOHTTP1
import Synchronization

/// Bodies of any length, neither kept in memory nor limited in time.
extension ControlClient {
    /// The code of the failure of a download whose end is missing.
    static let archiveCut = "archive-cut"

    /// - Returns: how many bytes came; all of them did.
    func download(_ path: String, _ take: (ByteBuffer) throws -> Void) async throws -> Int {
        let response = try await open(.GET, path, patience: Self.noLimit)
        var bytes = 0
        var chunks = response.body.makeAsyncIterator()
        while true {
            let chunk: ByteBuffer?
            do {
                chunk = try await chunks.next()
            } catch {
                throw CommandFailure(
                    .failed,
                    code: Self.archiveCut,
                    "the daemon ended the archive before it was whole: 'fermata verify' tells whether the checkpoint is "
                        + "damaged, daemon.log in the state folder what happened"
                )
            }
            guard let chunk else { return bytes }
            try take(chunk)
            bytes += chunk.readableBytes
        }
    }

    /// Sends a file; a refusal ends the sending.
    /// - Returns: the answer's body.
    func upload(_ path: String, _ input: ArchiveInputFile, _ progress: TransferProgress) async throws -> Data {
        let channel = ByteChannel()
        let failure = Mutex<CommandFailure?>(nil)
        // Standard input may keep a reader waiting for as long as it likes.
        DispatchQueue(label: "fermata.upload").async {
            do {
                while case let bytes = try input.read(), !bytes.isEmpty {
                    guard channel.write(bytes) else { return }
                }
                channel.finish()
            } catch {
                failure.withLock { $0 = error as? CommandFailure }
                channel.cancel()
            }
        }
        defer { channel.cancel() }
        let body = AsyncThrowingStream<ByteBuffer, any Error> {
            guard let bytes = await channel.receive() else {
                // An end that is none must not look like one.
                if channel.isCancelled { throw failure.withLock({ $0 }) ?? CancellationError() }
                return nil
            }
            progress.add(bytes.count)
            return ByteBuffer(bytes: bytes)
        }
        do {
            let response = try await open(
                .POST,
                path,
                .stream(body, length: input.size.map { .known(Int64($0)) } ?? .unknown),
                type: "application/zstd",
                patience: Self.noLimit
            )
            return Data(try await response.body.collect(upTo: 64 << 20).readableBytesView)
        } catch {
            throw failure.withLock({ $0 }) ?? error
        }
    }
}
