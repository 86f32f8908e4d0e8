import FoundationEssentials
import Testing

@testable import HypervisorRemote

/// docs/hypervisor-openapi.yaml has every call that the sources have, and no other.
struct ProtocolPageTests {
    @Test func everyCallIsDescribedAndNoOther() throws {
        let root = URL(filePath: #filePath).resolvingSymlinksInPath().deletingLastPathComponent()
            .deletingLastPathComponent().deletingLastPathComponent()
        let page = try String(contentsOf: root.appending(path: "docs/hypervisor-openapi.yaml"), encoding: .utf8)
        let described = Set(page.matches(of: /(?m)^  \/v1\/([a-z-]+):$/).map { String($0.1) })
        var calls: Set<String> = ["stages"]
        for file in ["RemoteMethod.swift", "ClockReading.swift", "GrantWire.swift", "SharedWire.swift"] {
            let path = "Sources/HypervisorRemote/Wire/\(file)"
            let text = try String(contentsOf: root.appending(path: path), encoding: .utf8)
            calls.formUnion(text.matches(of: /(?:Self|RemoteMethod)\("([a-z-]+)"\)/).map { String($0.1) })
        }
        #expect(calls.count > 20)
        #expect(described == calls)
        for path in [FileWire.path, GrantWire.path] { #expect(page.contains("\n  \(path){file}:\n")) }
    }
}
