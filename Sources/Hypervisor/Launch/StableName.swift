import Crypto

/// Names that QEMU accepts, the same at each launch: they are part of what a checkpoint's machine is made of.
enum StableName {
    /// Longest name of a block node that QEMU takes.
    static let nodeNameLimit = 31

    /// `disk-root`; an id that QEMU would refuse, or cut, becomes a digest.
    static func identifier(_ prefix: String, _ name: String) -> String {
        let plain = "\(prefix)-\(name)"
        let fits = plain.utf8.count <= nodeNameLimit
        let wellFormed = name.utf8.allSatisfy {
            switch $0 {
            case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
                UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "-"), UInt8(ascii: "."), UInt8(ascii: "_"):
                true
            default: false
            }
        }
        if fits, wellFormed { return plain }
        return "\(prefix)-" + hex(digest([name]).prefix(8))
    }

    /// A locally administered unicast address, in QEMU's own range.
    static func mac(simulation: String, link: String, machine: String, end: Int) -> String {
        let tail = digest([simulation, link, machine, "\(end)"]).prefix(4)
        return "52:54:" + tail.map { hex([$0]) }.joined(separator: ":")
    }

    /// Eight hex digits that stand for a text where only a short name fits.
    static func tag(of text: String) -> String { hex(digest([text]).prefix(4)) }

    /// Of names with a separator that none of them can hold.
    private static func digest(_ names: [String]) -> [UInt8] {
        Array(SHA256.hash(data: Array(names.joined(separator: "\0").utf8)))
    }

    private static func hex(_ bytes: some Sequence<UInt8>) -> String {
        bytes.map { ($0 < 16 ? "0" : "") + String($0, radix: 16) }.joined()
    }
}
