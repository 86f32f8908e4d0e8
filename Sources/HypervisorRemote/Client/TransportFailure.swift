import AsyncHTTPClient
import Glibc
import NIOCore
import NIOPosix
import NIOSSL
import PKI

/// What went wrong on the way to a host, for people.
public enum TransportFailure {
    public static func text(of error: any Error) -> String {
        switch error {
        case let refusal as PeerRefusal: refusal.message
        case let error as IOError: String(cString: strerror(error.errnoCode))
        case let error as NIOConnectionError:
            error.connectionErrors.first.map { text(of: $0.error) } ?? "no address of it answers"
        case let error as HTTPClientError where error == .connectTimeout: "it does not answer"
        case let error as HTTPClientError where error == .deadlineExceeded: "it did not answer in time"
        case let error as HTTPClientError where error == .remoteConnectionClosed:
            "it closed the connection; if it refused our certificate, its log says why"
        case let error where "\(error)".contains("CERTIFICATE_VERIFY_FAILED"):
            "its certificate has expired, is not valid yet, or is of an authority that is not trusted here"
        case is NIOSSLError, is BoringSSLError: "TLS failed (\(error)); if it refused our certificate, its log says why"
        default: "\(error)"
        }
    }
}
