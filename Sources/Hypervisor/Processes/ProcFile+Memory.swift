import Glibc

extension ProcFile {
    /// Memory of a process that is really there, in bytes: what its RAM can take in a file at most, besides swapped pages.
    static func residentBytes(of pid: Int32) -> UInt64? {
        guard let bytes = read("/proc/\(pid)/statm") else { return nil }
        let fields = String(decoding: bytes, as: UTF8.self).split(separator: " ")
        guard fields.count > 1, let pages = UInt64(fields[1]) else { return nil }
        return pages.multipliedReportingOverflow(by: UInt64(sysconf(Int32(_SC_PAGESIZE)))).partialValue
    }
}

extension ProcFile {
    /// A line of /proc/meminfo, in bytes; 0 when there is none of that name.
    static func memory(_ name: String) -> UInt64 {
        let lines = String(decoding: read("/proc/meminfo") ?? [], as: UTF8.self).split(separator: "\n")
        guard let line = lines.first(where: { $0.hasPrefix("\(name):") }) else { return 0 }
        return (UInt64(line.split(separator: " ").dropFirst().first ?? "") ?? 0) << 10
    }
}
