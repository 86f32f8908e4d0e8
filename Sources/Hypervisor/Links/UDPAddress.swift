import Glibc

/// A numeric address and a port, `10.0.0.5:24010` or `[fd00::5]:24010`.
struct UDPAddress: Sendable {
    private var storage = sockaddr_storage()
    private let length: socklen_t

    var family: Int32 { Int32(storage.ss_family) }

    /// - Returns: nil for anything else; names are not looked up.
    init?(_ text: String) {
        guard let colon = text.lastIndex(of: ":"), !text.utf8.contains(0) else { return nil }
        let port = text[text.index(after: colon)...]
        guard let number = UInt16(port), number > 0, "\(number)" == port else { return nil }
        var host = text[..<colon]
        let isBracketed = host.hasPrefix("[") && host.hasSuffix("]")
        if isBracketed { host = host.dropFirst().dropLast() }
        guard isBracketed == host.contains(":") else { return nil }
        var hints = addrinfo()
        hints.ai_flags = AI_NUMERICHOST | AI_NUMERICSERV
        hints.ai_socktype = Int32(SOCK_DGRAM.rawValue)
        var found: UnsafeMutablePointer<addrinfo>?
        guard getaddrinfo(String(host), String(port), &hints, &found) == 0, let first = found else { return nil }
        defer { freeaddrinfo(found) }
        length = first.pointee.ai_addrlen
        memcpy(&storage, first.pointee.ai_addr, Int(length))
        guard isOneHost else { return nil }
    }

    /// The host's own, which others do not reach.
    var isLoopback: Bool {
        family == AF_INET ? bytes[4] == 127 : bytes[8..<24].elementsEqual([UInt8](repeating: 0, count: 15) + [1])
    }

    /// Neither all, nor a group, nor an IPv4 address in the clothes of IPv6.
    private var isOneHost: Bool {
        if family == AF_INET { return bytes[4] != 0 && bytes[4] < 224 }
        let address = bytes[8..<24]
        return address.first != 0xff && (isLoopback || !address.prefix(10).allSatisfy { $0 == 0 })
    }

    /// As the kernel has them: an IPv4 address begins at 4, one of IPv6 at 8.
    private var bytes: [UInt8] { withUnsafeBytes(of: storage) { Array($0) } }

    /// The one that a socket is bound to; nil with errno set when that cannot be told.
    init?(of socket: OwnedDescriptor) {
        var storage = sockaddr_storage()
        var length = socklen_t(MemoryLayout<sockaddr_storage>.size)
        let result = withUnsafeMutablePointer(to: &storage) {
            $0.withMemoryRebound(to: sockaddr.self, capacity: 1) { getsockname(socket.number, $0, &length) }
        }
        guard result == 0 else { return nil }
        self.storage = storage
        self.length = length
    }

    /// The same with any free port.
    var withoutPort: UDPAddress {
        var address = self
        withUnsafeMutablePointer(to: &address.storage) { pointer in
            // The port is at the same place in both families.
            pointer.withMemoryRebound(to: sockaddr_in.self, capacity: 1) { $0.pointee.sin_port = 0 }
        }
        return address
    }

    func bind(_ socket: OwnedDescriptor) -> Bool { call { Glibc.bind(socket.number, $0, $1) } }

    func connect(_ socket: OwnedDescriptor) -> Bool { call { Glibc.connect(socket.number, $0, $1) } }

    private func call(_ body: (UnsafePointer<sockaddr>, socklen_t) -> Int32) -> Bool {
        withUnsafePointer(to: storage) {
            $0.withMemoryRebound(to: sockaddr.self, capacity: 1) { body($0, length) == 0 }
        }
    }
}
