import FoundationEssentials
import Testing

@testable import FermataTesting

/// docs/swift-testing.md, and the package that it is about.
@Suite struct GuideTests {
    private static let package = "\(TestHome.root)/docs/examples/swift-testing"

    private static func read(_ path: String) throws -> String { try String(contentsOfFile: path, encoding: .utf8) }

    @Test func `what the guide shows is in the example`() throws {
        let sources = try ["Package.swift", "Tests/LabTests/BoxTests.swift"].map {
            try Self.read("\(Self.package)/\($0)")
        }
        let page = try Self.read("\(TestHome.root)/docs/swift-testing.md")
        let blocks = page.matches(of: /(?s)```swift\n(.*?)```/).map { String($0.1) }
        #expect(blocks.count >= 2)
        for block in blocks { #expect(sources.contains { $0.contains(block) }, "\(block)") }
    }

    @Test func `the example passes, on the guest that it is written for`() async throws {
        guard FileManager.default.fileExists(atPath: "\(TestHome.cache)/linux/vmlinuz") else {
            #expect(ProcessInfo.processInfo.environment["CI"] != "true", "there is no Linux guest")
            print("SKIPPED: the guide's example: there is no \(TestHome.cache)/linux/vmlinuz (tools/setup.sh makes it)")
            return
        }
        try await TestHome.with { home in
            let ended = try await home.play("^LabTests\\.")
            let said = String(decoding: ended.output + ended.errors, as: UTF8.self)
            #expect(ended.status == 0 && said.contains("Test run with 3 tests"), "\(said)")
            try await home.expectClean(said)
        }
    }
}
