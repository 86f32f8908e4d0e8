import Glibc
import QMP

/// Finds the process that serves a monitor.
enum ProcessFinder {
    /// - Returns: nil when it is none of this host's processes, or one that may not be looked at.
    static func process(serving address: QMPAddress, peer: Int32?) -> Int32? {
        // A launcher may have opened the socket and handed it on: what counts is who holds it and is a QEMU.
        if let peer, isQEMU(peer) { return peer }
        let sockets: Set<String>
        switch address {
        case .unix(let path): sockets = unixSockets(bound: path)
        case .tcp(_, let port): sockets = tcpSockets(localPort: port)
        }
        return sockets.isEmpty ? nil : holders(of: sockets).first(where: isQEMU)
    }

    private static func isQEMU(_ pid: Int32) -> Bool {
        ProcFile.readStrings("/proc/\(pid)/cmdline").flatMap { AdoptedCommandLine(arguments: $0) } != nil
    }

    /// Inode numbers, as /proc/net/unix has them in the seventh column with the path behind it.
    private static func unixSockets(bound path: String) -> Set<String> {
        let resolved = realpath(path, nil).map { pointer in
            defer { free(pointer) }
            return String(cString: pointer)
        }
        return Set(
            lines(of: "/proc/net/unix").compactMap { line in
                let fields = line.split(separator: " ", maxSplits: 7, omittingEmptySubsequences: true)
                guard fields.count == 8, fields[7] == path || resolved.map({ fields[7] == $0 }) == true else {
                    return nil
                }
                return String(fields[6])
            }
        )
    }

    /// Of sockets that listen there (state 0A); the local address is hexadecimal, the inode the tenth column.
    private static func tcpSockets(localPort: UInt16) -> Set<String> {
        let port = String(localPort, radix: 16, uppercase: true)
        let suffix = ":" + String(repeating: "0", count: 4 - port.count) + port
        return Set(
            (lines(of: "/proc/net/tcp") + lines(of: "/proc/net/tcp6")).compactMap { line in
                let fields = line.split(separator: " ", omittingEmptySubsequences: true)
                guard fields.count > 9, fields[1].hasSuffix(suffix), fields[3] == "0A" else { return nil }
                return String(fields[9])
            }
        )
    }

    private static func lines(of path: String) -> [Substring] {
        let text = ProcFile.read(path, limit: 64 << 20).map { String(decoding: $0, as: UTF8.self) } ?? ""
        return text.split(separator: "\n")
    }

    private static func holders(of sockets: Set<String>) -> [Int32] {
        let names = Set(sockets.map { "socket:[\($0)]" })
        return entries(of: "/proc").compactMap { Int32($0) }.filter { pid in
            entries(of: "/proc/\(pid)/fd").contains { name in
                ProcFile.readLink("/proc/\(pid)/fd/\(name)").map { names.contains($0) } == true
            }
        }
    }

    private static func entries(of path: String) -> [String] {
        guard let folder = opendir(path) else { return [] }
        defer { closedir(folder) }
        var names: [String] = []
        while let entry = readdir(folder) {
            names.append(
                withUnsafeBytes(of: &entry.pointee.d_name) { String(decoding: $0.prefix { $0 != 0 }, as: UTF8.self) }
            )
        }
        return names
    }
}
