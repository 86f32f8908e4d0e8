import FoundationEssentials
import Glibc
import HTTPTypes
import HypervisorAPI
import NIOCore
import NIOPosix
import Synchronization
import Testing

@testable import Console

/// What comes out of serial ports, and what goes in. Files and sockets are real; the QEMU behind them is not.
@Suite struct SerialTests {
    private static func withFile(_ body: (String) async throws -> Void) async throws {
        try await withFolder { try await body("\($0)/serial0.log") }
    }

    private static func append(_ bytes: [UInt8], to path: String) throws {
        let file = open(path, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0o600)
        try #require(file >= 0)
        defer { close(file) }
        try #require(write(file, bytes, bytes.count) == bytes.count)
    }

    @Test func `what was said before is told first, then what is said, each byte once`() async throws {
        try await Self.withFile { path in
            let said = (0..<20_000).map { UInt8(truncatingIfNeeded: $0) }
            try Self.append(said, to: path)
            var output = SerialOutput.follow(path, from: nil).makeAsyncIterator()
            var heard: [UInt8] = []
            while heard.count < said.count { heard += try #require(await output.next()).bytes }
            #expect(heard == said)
            try Self.append(Array("login: ".utf8), to: path)
            #expect(await output.next() == SerialChunk(end: 20_007, bytes: Array("login: ".utf8)))
        }
    }

    @Test func `of very much only the last is told`() async throws {
        try await Self.withFile { path in
            try Self.append(Array(repeating: 7, count: 300_000), to: path)
            var output = SerialOutput.follow(path, from: nil).makeAsyncIterator()
            let first = try #require(await output.next())
            #expect(first.end == 300_000 - SerialOutput.first + UInt64(first.bytes.count))
        }
    }

    @Test func `who comes back goes on where it was, and in a new file from its beginning`() async throws {
        try await Self.withFile { path in
            try Self.append(Array("0123456789".utf8), to: path)
            var output = SerialOutput.follow(path, from: 6).makeAsyncIterator()
            #expect(await output.next() == SerialChunk(end: 10, bytes: Array("6789".utf8)))
            try FileManager.default.removeItem(atPath: path)
            try Self.append(Array("new".utf8), to: path)
            #expect(await output.next() == SerialChunk(end: 3, bytes: Array("new".utf8)))
        }
    }

    @Test func `what is no regular file is not read, and a reader that is cancelled ends`() async throws {
        try await Self.withFile { path in
            try #require(mkfifo(path, 0o600) == 0)
            let reader = Task {
                var output = SerialOutput.follow(path, from: nil).makeAsyncIterator()
                return await output.next()
            }
            try await Task.sleep(for: .milliseconds(120))
            reader.cancel()
            #expect(await reader.value == nil)
        }
    }

    @Test func `what is typed reaches the socket as a whole, before the answer`() async throws {
        try await Self.withFile { path in
            let socket = "\(path).sock"
            let received = Mutex<[UInt8]>([])
            let server = try await ServerBootstrap(group: MultiThreadedEventLoopGroup.singleton)
                .childChannelInitializer {
                    $0.pipeline.addHandler(Collector { bytes in received.withLock { $0 += bytes } })
                }
                .bind(unixDomainSocketPath: socket)
                .get()
            let control = ScriptedControl(serial: SerialPort(number: 0, socket: socket, log: path))
            try await RouterClient.with(control) { client async throws in
                let target = "/v1/simulations/lab/machines/bmc/serial"
                let text = Data("reboot\r".utf8).base64EncodedString()
                #expect(try await client.send(.post, target, "{\"base64\": \"\(text)\"}").status == 204)
                #expect(received.withLock { $0 } == Array("reboot\r".utf8))
                #expect(try await client.send(.post, target, "{\"base64\": \"*\"}").status == 400)
                #expect(try await client.send(.post, "\(target)?port=x", "{\"base64\": \"\"}").status == 400)
                #expect(try await client.send(.post, "\(target)?port=1", "{\"base64\": \"\"}").status == 404)
            }
            try await server.close().get()
            try await RouterClient.with(control) { client async throws in
                let reply = try await client.send(
                    .post,
                    "/v1/simulations/lab/machines/bmc/serial",
                    "{\"base64\": \"YQ==\"}"
                )
                #expect(reply.status == 409)
                #expect(try reply.problem().code == "serial-unusable")
            }
        }
    }

    /// As QEMU does it: reads all, and closes when the other side has no more.
    private final class Collector: ChannelInboundHandler, Sendable {
        typealias InboundIn = ByteBuffer

        private let take: @Sendable ([UInt8]) -> Void

        init(_ take: @escaping @Sendable ([UInt8]) -> Void) { self.take = take }

        func channelRead(context: ChannelHandlerContext, data: NIOAny) {
            take(Array(unwrapInboundIn(data).readableBytesView))
        }
    }
}
