/// Streams that no QEMU writes: hostile lengths, broken framing. Everything else is tested on recordings.
struct StreamBuilder {
    var bytes: [UInt8] = []

    static func number(_ value: UInt64, _ width: Int) -> [UInt8] {
        (0..<width).reversed().map { UInt8(truncatingIfNeeded: value >> ($0 * 8)) }
    }

    func u8(_ value: UInt8) -> Self { appending([value]) }
    func u16(_ value: UInt16) -> Self { appending(Self.number(UInt64(value), 2)) }
    func u32(_ value: UInt32) -> Self { appending(Self.number(UInt64(value), 4)) }
    func u64(_ value: UInt64) -> Self { appending(Self.number(value, 8)) }
    func name(_ name: String) -> Self { u8(UInt8(name.utf8.count)).appending(Array(name.utf8)) }

    func appending(_ more: [UInt8]) -> Self {
        var copy = self
        copy.bytes += more
        return copy
    }

    /// Header and configuration.
    static func head(_ machine: String = "m", capabilities: [String] = []) -> Self {
        var head = Self().u32(0x5145_564d).u32(3).u8(7).u32(UInt32(machine.utf8.count)).appending(Array(machine.utf8))
        if !capabilities.isEmpty {
            head = head.u8(5).name("configuration/capabilities").u32(1).u32(UInt32(capabilities.count))
            for capability in capabilities { head = head.name(capability) }
        }
        return head
    }

    /// The type byte and all that stands before the payload.
    func section(_ type: UInt8 = 4, _ id: UInt32, _ name: String, version: UInt32 = 1) -> Self {
        u8(type).u32(id).name(name).u32(0).u32(version)
    }

    func footer(_ id: UInt32) -> Self { u8(0x7e).u32(id) }

    /// RAM of one block of one page that is zero.
    func smallRAM() -> Self {
        section(1, 2, "ram", version: 4).u64(4096 | 4).name("r").u64(4096).u64(16).footer(2)
            .u8(3).u32(2).u64(2).name("r").u8(0).u64(16).footer(2)
    }

    /// A device of eight bytes.
    func device(_ id: UInt32 = 3, _ name: String = "dev", payload: [UInt8] = Array(1...8)) -> Self {
        section(4, id, name).appending(payload).footer(id)
    }

    /// The end of the list and a description.
    func description(_ json: String) -> Self {
        u8(0).u8(6).u32(UInt32(json.utf8.count)).appending(Array(json.utf8))
    }

    static func devices(_ fields: String, name: String = "dev") -> String {
        #"{"page_size":4096,"devices":[{"name":"\#(name)","instance_id":0,"vmsd_name":"\#(name)","version":1,"fields":[\#(fields)]}]}"#
    }

    static let eightBytes = #"{"name":"x","type":"uint64","size":8}"#
}
