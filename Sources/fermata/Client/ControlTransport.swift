import AsyncHTTPClient
import Console
import FoundationEssentials
import HypervisorRemote
import NIOCore
import NIOPosix
import NIOSSL
import PKI
import Synchronization

/// The way to one control instance: how it is connected to, and what shows it who asks.
struct ControlTransport: Sendable {
    let place: ControlAddress.Place
    let http: HTTPClient
    /// nil: who reaches the socket needs none.
    let token: String?

    /// The library's shared client gives up on an answer that is silent for 90 s: less than a checkpoint takes to be read.
    private static let local: HTTPClient = {
        var configuration = HTTPClient.Configuration.singletonConfiguration
        configuration.timeout.read = nil
        // A socket that nobody serves is told at once; the library would go on trying for as long as an answer may take.
        configuration.connectionPool.retryConnectionEstablishment = false
        return HTTPClient(eventLoopGroupProvider: .singleton, configuration: configuration)
    }()

    /// Whom a client believes, and what it calls.
    private struct Trust: Hashable {
        let authorities: [UInt8]
        let host: String
    }

    /// They live as long as the process: the library wants them to be ended otherwise.
    private static let remotes = Mutex<[Trust: HTTPClient]>([:])

    init(_ socket: ControlSocket) {
        place = .socket(socket)
        http = Self.local
        token = nil
    }

    /// - Parameter authorities: a file with the certificates of those that may have issued the server's.
    init(_ server: ControlServer, authorities path: String, token: String) throws(CommandFailure) {
        place = .server(server)
        self.token = token
        let bytes: [UInt8]
        do {
            bytes = Array(try Data(contentsOf: URL(filePath: path)))
        } catch {
            throw CommandFailure(
                .usage,
                code: "file-not-readable",
                "\(path), which is to have the authority's certificate, cannot be read: \(SystemError.text(of: error))"
            )
        }
        let authorities: [AuthorityCertificate]
        do {
            authorities = try AuthorityCertificate.all(inPEM: bytes, path: path)
        } catch {
            throw CommandFailure(error)
        }
        do {
            http = try Self.remotes.withLock { clients in
                let trust = Trust(authorities: bytes, host: server.host)
                if let client = clients[trust] { return client }
                let client = HTTPClient(
                    eventLoopGroupProvider: .singleton,
                    configuration: try Self.configuration(authorities, server.host)
                )
                clients[trust] = client
                return client
            }
        } catch {
            throw CommandFailure(.failed, code: "pki-certificate", "\(path) cannot be used: \(error)")
        }
    }

    /// Scheme, host and port of every request.
    var base: String {
        switch place {
        case .socket(let socket): "http+unix://\(ControlClient.escaped(socket.path))"
        case .server(let server): server.url
        }
    }

    /// For sentences.
    var name: String {
        switch place {
        case .socket(let socket): socket.path
        case .server(let server): server.url
        }
    }

    private static func configuration(
        _ authorities: [AuthorityCertificate],
        _ host: String
    ) throws -> HTTPClient.Configuration {
        var configuration = HTTPClient.Configuration(tlsConfiguration: try .control(authorities: authorities))
        configuration.timeout.connect = .seconds(10)
        configuration.timeout.read = nil
        configuration.httpVersion = .http1Only
        configuration.redirectConfiguration = .disallow
        // What fails for a reason is told with it, at once.
        configuration.connectionPool.retryConnectionEstablishment = false
        configuration.http1_1ConnectionDebugInitializer = { channel in
            do {
                try check(channel, host)
                return channel.eventLoop.makeSucceededVoidFuture()
            } catch {
                channel.eventLoop.execute { channel.close(promise: nil) }
                return channel.eventLoop.makeFailedFuture(error)
            }
        }
        return configuration
    }

    /// Before the token leaves. A hypervisor's certificate is of the same authority, and may be of the same host; it must not get tokens. The
    /// library lets an address stand for a name that leads to it.
    private static func check(_ channel: any Channel, _ host: String) throws {
        let certificate = try channel.pipeline.syncOperations.nioSSL_peerCertificate()?.toDERBytes() ?? []
        let peer = try PeerIdentity(ofAccepted: certificate, calledAs: host)
        guard peer.role == .control else { throw WrongPeer(peer: peer) }
        try KeepAlive.enable(on: channel)
    }

    private struct WrongPeer: Error {
        let peer: PeerIdentity
    }

    func failure(_ error: any Error) -> CommandFailure {
        guard case .server(let server) = place else {
            return CommandFailure(
                .failed,
                code: "daemon-unreachable",
                "the daemon at \(name) cannot be reached or went away (\(error)): see its log, daemon.log in the state "
                    + "folder; 'fermata ps' starts a new one, which takes up what was under way"
            )
        }
        if let why = Self.distrust(error, server) {
            return CommandFailure(
                .failed,
                code: "control-not-trusted",
                "nothing was sent to \(server.url): \(why)"
            )
        }
        return CommandFailure(
            .failed,
            code: "daemon-unreachable",
            "the control instance at \(server.url) cannot be reached or went away (\(TransportFailure.text(of: error))): "
                + "what was under way there goes on"
        )
    }

    /// Why the server is not believed; nil: that is not what was wrong.
    private static func distrust(_ error: any Error, _ server: ControlServer) -> String? {
        switch error {
        case let error as NIOConnectionError:
            return error.connectionErrors.lazy.compactMap { distrust($0.error, server) }.first
        case let error as WrongPeer:
            return "its certificate is of \(error.peer), and has to be a control's ('fermata pki issue control NAME')"
        case let error as PeerRefusal: return error.message
        case let error as NIOSSLExtraError where error == .failedToValidateHostname:
            return "its certificate is for other names and addresses than '\(server.host)': issue it one with "
                + "'--address HOST', or use the name that it has"
        case let error where "\(error)".contains("CERTIFICATE_VERIFY_FAILED"):
            return "its certificate has expired, is not valid yet, or is of an authority that the file of --control-ca "
                + "(FERMATA_CONTROL_CA) does not have"
        default: return nil
        }
    }
}
