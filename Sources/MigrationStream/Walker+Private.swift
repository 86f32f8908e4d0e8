/// Sections whose own format tells their length, met in every checkpoint of their machines.
extension Walker {
    /// pseries: the page table that the hypervisor keeps. A word; if it is 0, chunks of entries until an empty one.
    mutating func hashTable(isStart: Bool) throws(StreamError) {
        let word = try cursor.uint32()
        guard !isStart, word == 0 else { return }
        while true {
            let index = try cursor.uint32()
            let valid = try cursor.uint16()
            let invalid = try cursor.uint16()
            if index == 0, valid == 0, invalid == 0 { return }
            try cursor.skip(UInt64(valid) * 16)
        }
    }

    /// s390x: the storage attributes of pages. Words of addresses and flags: 1 ends the section, 2 brings a length and as
    /// many bytes, 8 says that those were the last.
    mutating func storageAttributes() throws(StreamError) {
        while true {
            let start = cursor.position
            switch try cursor.uint64() & 0xfff {
            case 1: return
            case 2: try cursor.skip(cursor.uint64())
            case 8: continue
            default:
                throw StreamError(.corrupt, at: start, in: "s390-storage_attributes", "neither attributes nor an end")
            }
        }
    }
}
