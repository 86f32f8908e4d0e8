import MigrationStream

/// Fields as numbers, big-endian as QEMU writes all of them. Which are signed is the device's knowledge, not the stream's.
extension DeviceImage {
    func has(_ path: String) -> Bool { range(of: path) != nil }

    func unsigned(_ path: String) throws(ClockError) -> Int128 {
        let range = try numberRange(path)
        return payload[range].reduce(0) { $0 << 8 | Int128($1) }
    }

    func signed(_ path: String) throws(ClockError) -> Int128 {
        let width = try numberRange(path).count * 8
        let pattern = try unsigned(path)
        return pattern >> (width - 1) == 0 ? pattern : pattern - (1 << width)
    }

    mutating func setUnsigned(_ path: String, to value: Int128) throws(ClockError) {
        let range = try numberRange(path)
        guard value >= 0, value < 1 << (range.count * 8) else { throw outOfRange(path) }
        store(value, in: range)
    }

    mutating func setSigned(_ path: String, to value: Int128) throws(ClockError) {
        let range = try numberRange(path)
        let half: Int128 = 1 << (range.count * 8 - 1)
        guard value >= -half, value < half else { throw outOfRange(path) }
        store(value, in: range)
    }

    /// For fields that QEMU reckons with modulo their width.
    mutating func setWrapped(_ path: String, to value: Int128) throws(ClockError) {
        store(value, in: try numberRange(path))
    }

    /// Moves an instant by a distance, in every field of that name; one that is not set, 0 or -1, stays.
    mutating func advance(_ path: String, by distance: Int128) throws(ClockError) {
        for field in fields where field.path == path && field.size == 8 {
            guard let range = range(of: field) else { throw missing(path) }
            let instant = Int128(payload[range].reduce(Int64(0)) { $0 << 8 | Int64($1) })
            guard instant > 0 else { continue }
            guard instant + distance <= Int128(Int64.max) else { throw outOfRange(path) }
            store(instant + distance, in: range)
        }
    }

    func bytes(_ path: String) throws(ClockError) -> [UInt8] {
        guard let range = range(of: path) else { throw missing(path) }
        return Array(payload[range])
    }

    func outOfRange(_ path: String) -> ClockError {
        .outOfRange(device: device, section: section, field: path)
    }

    func missing(_ path: String) -> ClockError {
        .missingField(device: device, section: section, field: path)
    }

    private func numberRange(_ path: String) throws(ClockError) -> Range<Int> {
        guard let range = range(of: path), (1...8).contains(range.count) else { throw missing(path) }
        return range
    }

    private mutating func store(_ value: Int128, in range: Range<Int>) {
        replace(range, with: (0..<range.count).reversed().map { UInt8(truncatingIfNeeded: value >> ($0 * 8)) })
    }
}
