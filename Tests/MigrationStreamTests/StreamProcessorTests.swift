import MigrationStream
import Testing

@Suite struct StreamProcessorTests {
    @Test(arguments: [
        ("pc-7.2", ["x86_64"]), ("pc-10.0", ["x86_64"]), ("pc-2cpu-10.0", ["x86_64"]), ("q35-7.2", ["x86_64"]),
        ("microvm-10.0", ["x86_64"]), ("virt-7.2", ["aarch64", "arm"]), ("virt-10.0", ["aarch64", "arm"]),
        ("ast2600-7.2", ["aarch64", "arm"]), ("ast2600-10.0", ["aarch64", "arm"]), ("riscv-7.2", ["riscv64"]),
        ("riscv-10.0", ["riscv64"]), ("s390x-10.0", ["s390x"]), ("pseries-7.2", ["ppc64"]),
        ("pseries-10.0", ["ppc64"]),
    ])
    func `a stream tells which processors its machine has`(_ name: String, _ targets: [String]) throws {
        let processor = try #require(try Recording(name: name).map().processor)
        #expect(processor.targets.sorted() == targets)
        #expect(StreamProcessor.allTargets.isSuperset(of: targets))
    }

    @Test func `a stream that does not describe itself tells nothing, and is not taken for anything`() throws {
        #expect(try Recording(name: "pc-nodescription-10.0").map().processor == nil)
    }
}
