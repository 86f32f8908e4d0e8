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
    private let before: String
    private static let setting = "/proc/sys/vm/nr_hugepages"

    /// nil where there are none to be had, with a word on why.
    init?(megabytes: Int) {
        do {
            guard geteuid() == 0 else { throw TestSupportError("only root may reserve huge pages") }
            temporary = try TemporaryFolder()
            folder = temporary.file("huge")
            before = try Shell.output("cat \(Self.setting)")
            let wanted = (Int(before.split(separator: "\n")[0]) ?? 0) + megabytes / 2
            let got = try Shell.output("echo \(wanted) > \(Self.setting); cat \(Self.setting)")
            guard got.contains("\(wanted)\n") else {
                _ = try? Shell.output("echo \(before) > \(Self.setting)")
                throw TestSupportError("the host has no \(megabytes) MiB in huge pages to give")
            }
            _ = try Shell.output("mkdir -m 700 '\(folder)' && mount -t hugetlbfs -o pagesize=2M none '\(folder)'")
        } catch {
            print("huge pages: skipped: \(error)")
            return nil
        }
    }

    /// Of files in the folder, in bytes.
    func used() throws -> Int {
        Int(try Shell.output("stat -f -c '%b %f' '\(folder)' | awk '{print $1 - $2}'").split(separator: "\n")[0]) ?? 0
    }

    func giveBack() { _ = try? Shell.output("umount -l '\(folder)'; echo \(before) > \(Self.setting)") }
}
