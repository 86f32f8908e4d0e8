extension Walker {
    /// Walks over words of addresses and flags, and what follows each, to the end of the section.
    mutating func ram() throws(StreamError) {
        while true {
            let start = cursor.position
            let word = try cursor.uint64()
            let flags = word & (pageSize - 1)
            let address = word - flags
            switch flags & ~RAMFlag.sameBlock {
            case RAMFlag.endOfSection: return
            case RAMFlag.multifdFlush: continue
            case RAMFlag.memorySize: try blockList(total: address)
            case RAMFlag.zero:
                try block(flags, address, at: start)
                try cursor.skip(1)
            case RAMFlag.page:
                try block(flags, address, at: start)
                try cursor.skip(pageSize)
            case RAMFlag.xbzrle:
                try block(flags, address, at: start)
                try cursor.skip(1)
                try skipPacked(UInt64(cursor.uint16()), at: start)
            case RAMFlag.compressed:
                try block(flags, address, at: start)
                try skipPacked(UInt64(cursor.uint32()), at: start)
            default:
                throw StreamError(.corrupt, at: start, in: "ram", "no page has flags 0x\(String(flags, radix: 16))")
            }
        }
    }

    private mutating func block(_ flags: UInt64, _ address: UInt64, at start: UInt64) throws(StreamError) {
        pageCount += 1
        guard flags & RAMFlag.sameBlock == 0 else { return }
        let name = try cursor.countedName()
        guard let block = ramBlocks.first(where: { $0.name == name }), address < block.length else {
            throw StreamError(.corrupt, at: start, in: "ram", "there is no page \(address) in a block \(name)")
        }
    }

    private mutating func skipPacked(_ length: UInt64, at start: UInt64) throws(StreamError) {
        // What does not shrink is sent as it is; zlib's own bound is below twice the size.
        guard length <= 2 * pageSize else {
            throw StreamError(.corrupt, at: start, in: "ram", "a page does not take \(length) bytes when packed")
        }
        try cursor.skip(length)
    }

    private mutating func blockList(total: UInt64) throws(StreamError) {
        guard ramBlocks.isEmpty else {
            throw StreamError(.corrupt, at: cursor.position, in: "ram", "the blocks are listed twice")
        }
        var rest = total
        while rest > 0 {
            let start = cursor.position
            let block = RAMBlock(name: try cursor.countedName(), length: try cursor.uint64())
            guard block.length <= rest, ramBlocks.count < Limits.ramBlocks else {
                throw StreamError(
                    .corrupt,
                    at: start,
                    in: "ram",
                    "the blocks do not add up to the \(total) bytes that were announced"
                )
            }
            rest -= block.length
            if head.ignoresShared { try cursor.skip(8) }
            if head.isMappedRAM { try mappedBlock(block) }
            ramBlocks.append(block)
        }
    }

    /// Its bitmap and its pages lie behind its header, and the next header behind them.
    private mutating func mappedBlock(_ block: RAMBlock) throws(StreamError) {
        let start = cursor.position
        let version = try cursor.uint32()
        guard version == 1 else {
            throw StreamError(.unsupported, at: start, in: "ram", "mapped RAM has version \(version), known is 1")
        }
        let pageSize = try cursor.uint64()
        let bitmap = try cursor.uint64()
        let pages = try cursor.uint64()
        let (end, overflow) = pages.addingReportingOverflow(block.length)
        guard pageSize.nonzeroBitCount == 1, bitmap >= cursor.position, pages >= bitmap, !overflow else {
            throw StreamError(.corrupt, at: start, in: "ram", "the pages of block \(block.name) have no possible place")
        }
        let bitmapBytes = (block.length / pageSize + 63) / 64 * 8
        guard bitmapBytes <= pages - bitmap else {
            throw StreamError(.corrupt, at: start, in: "ram", "bitmap and pages of block \(block.name) overlap")
        }
        try cursor.seek(to: end)
    }
}
