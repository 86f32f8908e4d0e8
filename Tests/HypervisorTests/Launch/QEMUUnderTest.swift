import Glibc
import Testing

/// The QEMU releases that tests run on: the host's own, and 10.0 where it has been unpacked.
struct QEMUUnderTest: CustomTestStringConvertible, Sendable {
    var name: String
    var folder: String

    func binary(_ target: String) -> String { "\(folder)/qemu-system-\(target)" }

    var testDescription: String { name }

    static let all: [QEMUUnderTest] = {
        var found = [QEMUUnderTest(name: "the host's QEMU", folder: "/usr/bin")]
        let root = #filePath.split(separator: "/").dropLast(4).map { "/\($0)" }.joined()
        let candidates = [getenv("FERMATA_QEMU_10").map { String(cString: $0) }, "\(root)/.cache/qemu-10.0/bin"]
        if let folder = candidates.compactMap({ $0 }).first(where: { access("\($0)/qemu-system-x86_64", X_OK) == 0 }) {
            found.append(QEMUUnderTest(name: "QEMU 10.0", folder: folder))
        } else {
            print("skipped: tests on QEMU 10.0; it is neither in .cache/qemu-10.0 nor named by FERMATA_QEMU_10")
        }
        return found
    }()
}
