import ControlInstance
import Glibc
import HypervisorAPI
import Testing

extension MainJobTests {
    @Test("RAM in huge pages: suspended, resumed in each way, saved while running", arguments: LabManifest.releases)
    func hugePages(_ release: QEMUUnderTest) async throws {
        guard let pages = HugePages(megabytes: 700) else { return }
        defer { pages.giveBack() }
        try await Lab.with(ramFolder: pages.folder) { lab in
            var pair = try await PairFlow(lab, LabManifest.load("pair", release))
            #expect(try pages.used() > 0, "nothing is in huge pages")
            try await pair.savedWhileRunning(as: "c1", release)
            #expect(try await pair.isSuspended(as: "s1") == [.file])
            let digests = try await lab.digests(of: "s1", pair.spec.name)
            for use in [RAMUse.keep, .ephemeral, .copy] {
                _ = try await pair.goesOn(from: "s1", use, "huge-\(use)")
                _ = try await lab.control.down(pair.spec.name)
            }
            #expect(try await lab.digests(of: "s1", pair.spec.name) == digests)
        }
    }
}

/// A folder on a hugetlbfs, with pages that the host gave up for it.
private struct HugePages {
    let folder: String
    private let temporary: TemporaryFolder
    private let before: Int
    private static let setting = "/proc/sys/vm/nr_hugepages"

    /// nil where there are none to be had, with a word on why.
    init?(megabytes: Int) {
        do {
            guard geteuid() == 0 else { throw TestSupportError("only root may reserve huge pages") }
            temporary = try TemporaryFolder()
            folder = temporary.file("huge")
            before = try Self.reserved()
            let wanted = before + megabytes / 2
            guard try Self.reserve(wanted) == wanted else {
                _ = try? Self.reserve(before)
                throw TestSupportError("the host has no \(megabytes) MiB in huge pages to give")
            }
        } catch {
            print("huge pages: skipped: \(error)")
            return nil
        }
        do {
            _ = try Shell.output("mkdir -m 700 '\(folder)' && mount -t hugetlbfs -o pagesize=2M none '\(folder)'")
        } catch {
            _ = try? Self.reserve(before)
            print("huge pages: skipped: \(error)")
            return nil
        }
    }

    /// Of files in the folder, in bytes.
    func used() throws -> Int {
        let text = try Shell.output("find '\(folder)' -type f -printf '%b\\n'")
        return text.split(separator: "\n").compactMap { Int($0) }.reduce(0, +) * 512
    }

    func giveBack() {
        do {
            _ = try Shell.output("umount -l '\(folder)'")
            let left = try Self.reserve(before)
            #expect(left == before, "huge pages that the test reserved are still reserved")
        } catch {
            Issue.record(error, "the host has less memory than before")
        }
    }

    private static func reserved() throws -> Int {
        let text = try Shell.output("cat \(setting)")
        guard let count = Int(text.split(whereSeparator: \.isWhitespace).first ?? "") else {
            throw TestSupportError("\(setting) says \(text)")
        }
        return count
    }

    /// - Returns: how many there are now.
    private static func reserve(_ count: Int) throws -> Int {
        _ = try Shell.output("echo \(count) > \(setting)")
        return try reserved()
    }
}
