import Dispatch
import Glibc

/// A numeric address of a host.
struct HostAddress: Hashable, Sendable {
    /// `10.0.0.5` or `fd00::5`.
    let text: String

    var isLoopback: Bool { text.hasPrefix("127.") || text == "::1" }

    var isIPv6: Bool { text.contains(":") }

    /// With a port, as addresses are written.
    func with(port: Int) -> String { isIPv6 ? "[\(text)]:\(port)" : "\(text):\(port)" }

    /// The first that a name has, of IPv4 if it has any: the other host's is to be of the same family.
    /// - Parameter endpoint: `lab2.example:7443`, `[fd00::5]:7443`.
    static func of(_ endpoint: String) async -> HostAddress? {
        guard let colon = endpoint.lastIndex(of: ":") else { return nil }
        var host = endpoint[..<colon]
        if host.hasPrefix("["), host.hasSuffix("]") { host = host.dropFirst().dropLast() }
        let name = String(host)
        // A name server may take seconds.
        return await withCheckedContinuation { continuation in
            DispatchQueue.global().async { continuation.resume(returning: lookUp(name)) }
        }
    }

    /// The one of this host's that packets to another carry.
    static func own(towards other: HostAddress) -> HostAddress? {
        withAddress(other.text, family: AF_UNSPEC, flags: AI_NUMERICHOST) { info in
            let descriptor = socket(info.ai_family, Int32(SOCK_DGRAM.rawValue) | Int32(SOCK_CLOEXEC.rawValue), 0)
            guard descriptor >= 0 else { return nil }
            defer { close(descriptor) }
            // Sends nothing: it chooses a route.
            guard connect(descriptor, info.ai_addr, info.ai_addrlen) == 0 else { return nil }
            var storage = sockaddr_storage()
            var length = socklen_t(MemoryLayout<sockaddr_storage>.size)
            return withUnsafeMutablePointer(to: &storage) {
                $0.withMemoryRebound(to: sockaddr.self, capacity: 1) { address in
                    getsockname(descriptor, address, &length) == 0 ? text(of: address, length) : nil
                }
            }
        }
    }

    private static func lookUp(_ name: String) -> HostAddress? {
        let first = { (family: Int32) in
            withAddress(name, family: family) { text(of: $0.ai_addr, $0.ai_addrlen) }
        }
        return first(AF_INET) ?? first(AF_INET6).flatMap { $0.text.hasPrefix("fe80:") ? nil : $0 }
    }

    /// - Returns: nil also when the name has none.
    private static func withAddress(_ name: String, family: Int32, flags: Int32 = 0, _ body: (addrinfo) -> HostAddress?)
        -> HostAddress?
    {
        var hints = addrinfo()
        hints.ai_socktype = Int32(SOCK_DGRAM.rawValue)
        hints.ai_family = family
        hints.ai_flags = flags
        var found: UnsafeMutablePointer<addrinfo>?
        // The port has no part in it, but without one there is nowhere to connect to.
        guard getaddrinfo(name, "9", &hints, &found) == 0, let first = found else { return nil }
        defer { freeaddrinfo(found) }
        return body(first.pointee)
    }

    private static func text(of address: UnsafePointer<sockaddr>, _ length: socklen_t) -> HostAddress? {
        var buffer = [CChar](repeating: 0, count: Int(NI_MAXHOST))
        let result = getnameinfo(
            address,
            length,
            &buffer,
            socklen_t(buffer.count),
            nil,
            0,
            NI_NUMERICHOST
        )
        guard result == 0 else { return nil }
        return HostAddress(
            text: String(decoding: buffer.prefix { $0 != 0 }.map(UInt8.init(bitPattern:)), as: UTF8.self)
        )
    }
}
