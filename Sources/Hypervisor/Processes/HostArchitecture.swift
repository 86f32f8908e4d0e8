import Glibc

enum HostArchitecture {
    /// As the kernel calls it: `x86_64`, `aarch64`…
    static let name: String = {
        var host = utsname()
        uname(&host)
        return withUnsafeBytes(of: &host.machine) { String(decoding: $0.prefix { $0 != 0 }, as: UTF8.self) }
    }()
}
