import Crypto
import HypervisorAPI

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
        return "\(prefix)-" + String(sha256(Array(name.utf8)).prefix(16))
    }

    /// Eight hex digits that stand for a text where only a short name fits.
    static func tag(of text: String) -> String { String(sha256(Array(text.utf8)).prefix(8)) }

    static func mac(of link: LinkSpec, end: Int, in simulation: String) -> String {
        link.generatedMAC(ofEnd: end, in: simulation, digest: sha256)
    }

    static func sha256(_ bytes: [UInt8]) -> String { hex(SHA256.hash(data: bytes)) }

    private static func hex(_ bytes: some Sequence<UInt8>) -> String {
        bytes.map { ($0 < 16 ? "0" : "") + String($0, radix: 16) }.joined()
    }
}
