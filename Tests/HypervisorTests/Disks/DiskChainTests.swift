import Testing

@testable import Hypervisor

@Suite("DiskChain")
struct DiskChainTests {
    private func chain(_ files: String...) -> DiskChain {
        DiskChain(node: "disk", images: files.map { DiskChain.Image(file: $0, bytes: 1) })
    }

    @Test("between the layer that is written and the image that the disk began with lie those that can be copied")
    func between() {
        let chain = chain("top", "two", "one", "origin", "users-own")
        #expect(chain.between(origin: "origin").map(\.file) == ["two", "one"])
        #expect(chain.base(origin: "origin") == "origin")
    }

    @Test("of a disk whose first image is not known the lowest one stays")
    func unknown() {
        let chain = chain("top", "two", "one")
        #expect(chain.between(origin: nil).map(\.file) == ["two"])
        #expect(chain.between(origin: "elsewhere").map(\.file) == ["two"])
        #expect(chain.base(origin: nil) == "one")
    }

    @Test("where nothing lies between there is nothing to copy")
    func nothing() {
        #expect(chain("top", "origin").between(origin: "origin").isEmpty)
        #expect(chain("top", "origin", "users-own").between(origin: "origin").isEmpty)
        #expect(chain("top").between(origin: nil).isEmpty)
        #expect(chain().between(origin: nil).isEmpty)
        #expect(chain().base(origin: nil) == nil)
    }
}
