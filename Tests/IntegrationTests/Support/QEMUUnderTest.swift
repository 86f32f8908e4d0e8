import Glibc

/// The QEMU releases that everything is proven on: what the system has installed, and a newer one beside it.
struct QEMUUnderTest: Hashable, Sendable, CustomStringConvertible {
    let major: Int
    let minor: Int
    /// Where its `qemu-system-…` are.
    let folder: String

    /// Debian 12's own.
    static let old = QEMUUnderTest(major: 7, minor: 2, folder: "/usr/bin")
    /// That of its backports, which `tools/setup` unpacks beside it.
    static let new = QEMUUnderTest(major: 10, minor: 0, folder: "\(repository)/.cache/qemu-10.0/bin")
    static let all = [old, new]

    /// The root of the checkout that these tests were built from.
    static let repository = String(#filePath.dropLast("/Tests/IntegrationTests/Support/QEMUUnderTest.swift".count))

    /// Path of the emulator of an architecture, e.g. `x86_64`; nil when it is not installed.
    func binary(_ architecture: String) -> String? {
        let path = "\(folder)/qemu-system-\(architecture)"
        return access(path, X_OK) == 0 ? path : nil
    }

    /// The name of a versioned machine type of this release: `pc-i440fx-7.2`.
    func machine(_ family: String) -> String { "\(family)-\(major).\(minor)" }

    var description: String { "\(major).\(minor)" }
}

/// Whether machines can run under KVM here; if not, why.
enum KVMUnderTest {
    static let problem: String? = {
        let descriptor = open("/dev/kvm", O_RDWR | O_CLOEXEC)
        guard descriptor >= 0 else { return "/dev/kvm cannot be opened: \(String(cString: strerror(errno)))" }
        close(descriptor)
        return nil
    }()
}
