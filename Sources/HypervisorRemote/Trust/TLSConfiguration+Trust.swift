public import NIOSSL
public import PKI

extension TLSConfiguration {
    /// Peers are looked at by ``LiveTrust/identify(_:expecting:name:)`` in place of the library's own check.
    static func server(_ store: TrustStore) throws -> TLSConfiguration {
        var configuration = TLSConfiguration.makeServerConfiguration(
            certificateChain: try chain(store),
            privateKey: .privateKey(try key(store))
        )
        configuration.minimumTLSVersion = .tlsv13
        configuration.certificateVerification = .noHostnameVerification
        configuration.trustRoots = .certificates(try roots(store))
        return configuration
    }

    /// For clients that show no certificate, and so have to prove otherwise who they are.
    static func openServer(_ store: TrustStore) throws -> TLSConfiguration {
        var configuration = TLSConfiguration.makeServerConfiguration(
            certificateChain: try chain(store),
            privateKey: .privateKey(try key(store))
        )
        configuration.minimumTLSVersion = .tlsv13
        configuration.applicationProtocols = ["http/1.1"]
        return configuration
    }

    /// Host names are not looked at: a host is who its certificate's identity says, wherever it is.
    static func client(_ store: TrustStore) throws -> TLSConfiguration {
        var configuration = TLSConfiguration.makeClientConfiguration()
        configuration.minimumTLSVersion = .tlsv13
        configuration.certificateVerification = .noHostnameVerification
        configuration.trustRoots = .certificates(try roots(store))
        configuration.certificateChain = try chain(store)
        configuration.privateKey = .privateKey(try key(store))
        return configuration
    }

    /// For the control instance's API, as web browsers and curl look at servers: an authority's certificate, and the name or address that was
    /// asked for in it.
    public static func control(authorities: [AuthorityCertificate]) throws -> TLSConfiguration {
        var configuration = TLSConfiguration.makeClientConfiguration()
        configuration.minimumTLSVersion = .tlsv13
        configuration.certificateVerification = .fullVerification
        configuration.trustRoots = .certificates(
            try authorities.map { try NIOSSLCertificate(bytes: $0.der, format: .der) }
        )
        return configuration
    }

    private static func chain(_ store: TrustStore) throws -> [NIOSSLCertificateSource] {
        try store.credentials.certificateChain().map { .certificate(try NIOSSLCertificate(bytes: $0, format: .der)) }
    }

    private static func roots(_ store: TrustStore) throws -> [NIOSSLCertificate] {
        try store.policy.authorities.map { try NIOSSLCertificate(bytes: $0.der, format: .der) }
    }

    private static func key(_ store: TrustStore) throws -> NIOSSLPrivateKey {
        try NIOSSLPrivateKey(bytes: store.credentials.privateKeyDER, format: .der)
    }
}
