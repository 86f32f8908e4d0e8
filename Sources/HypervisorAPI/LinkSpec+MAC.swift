extension SimulationSpec {
    /// Spells out the network cards' addresses, which follow from a simulation's name otherwise: guests know theirs.
    /// - Parameters:
    ///   - simulation: by whose name they were made.
    ///   - digest: SHA-256 in hexadecimal digits, which this module does not know.
    public mutating func keepAddresses(of simulation: String, digest: ([UInt8]) -> String) {
        for link in links.indices where links[link].kind != .serial {
            for end in links[link].ends.indices where links[link].ends[end].mac == nil {
                let mac = links[link].generatedMAC(ofEnd: end, in: simulation, digest: digest)
                links[link].ends[end].mac = mac
            }
        }
    }
}

extension LinkSpec {
    /// The MAC address of an end that names none: the same at each launch, locally administered, in QEMU's own range.
    ///
    /// - Parameters:
    ///   - end: index into ``ends``.
    ///   - digest: SHA-256 in hexadecimal digits, which this module does not know.
    public func generatedMAC(ofEnd end: Int, in simulation: String, digest: ([UInt8]) -> String) -> String {
        // A separator that no name can hold.
        let names = [simulation, name, ends[end].machine, "\(end)"].joined(separator: "\0")
        let digits = Array(digest(Array(names.utf8)).prefix(8))
        let bytes = stride(from: 0, to: digits.count, by: 2).map { String(digits[$0..<min($0 + 2, digits.count)]) }
        return (["52", "54"] + bytes).joined(separator: ":")
    }
}
