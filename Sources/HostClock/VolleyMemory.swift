import CShims
import Glibc
import Time

/// A volley laid out for the hot path: one locked mapping with the shots in the order they are due and their bytes,
/// and descriptors of its own.
struct VolleyMemory: ~Copyable {
    let shots: UnsafeMutableBufferPointer<fermata_shot>
    /// `places[i]`: which shot of the volley `shots[i]` is.
    let places: [Int]
    let firstDue: HostInstant
    private let mapping: UnsafeMutableRawPointer
    private let length: Int

    init(_ volley: Volley, deadline: HostInstant) throws(DeadlineError) {
        let duplicates = try Self.duplicates(volley)
        let table = volley.shots.count * MemoryLayout<fermata_shot>.stride
        let length = max(1, volley.shots.reduce(table) { $0 + $1.bytes.count })
        let address = mmap(nil, length, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_POPULATE, -1, 0)
        guard let address, address != MAP_FAILED else {
            let code = errno
            for descriptor in duplicates { close(descriptor) }
            throw .system(step: "mapping memory for the commands", errno: code)
        }
        // Refused without the privilege: the thread's RealtimePrivileges say so already.
        _ = mlock(address, length)

        // Equal due times keep the order they were given in: the sort is stable.
        let places = volley.shots.indices.sorted { volley.shots[$0].lead > volley.shots[$1].lead }
        let shots = UnsafeMutableBufferPointer(
            start: address.bindMemory(to: fermata_shot.self, capacity: volley.shots.count),
            count: volley.shots.count
        )
        var offset = table
        for (index, place) in places.enumerated() {
            let shot = volley.shots[place]
            let bytes = address + offset
            shot.bytes.withUnsafeBytes { source in
                if let start = source.baseAddress { bytes.copyMemory(from: start, byteCount: source.count) }
            }
            shots.initializeElement(
                at: index,
                to: fermata_shot(
                    descriptor: duplicates[place],
                    bytes: bytes,
                    length: shot.bytes.count,
                    due_ns: (deadline - shot.lead).nanosecondsSinceEpoch,
                    written_at_ns: 0,
                    written: 0
                )
            )
            offset += shot.bytes.count
        }

        self.shots = shots
        self.places = places
        firstDue = shots.first.map { HostInstant(nanosecondsSinceEpoch: $0.due_ns) } ?? deadline
        mapping = address
        self.length = length
    }

    deinit {
        for shot in shots { close(shot.descriptor) }
        munmap(mapping, length)
    }

    private static func duplicates(_ volley: Volley) throws(DeadlineError) -> [Int32] {
        var duplicates: [Int32] = []
        for (index, shot) in volley.shots.enumerated() {
            let duplicate = fcntl(shot.descriptor, F_DUPFD_CLOEXEC, 3)
            guard duplicate >= 0 else {
                let code = errno
                for descriptor in duplicates { close(descriptor) }
                if code == EBADF { throw .badDescriptor(shot: index, descriptor: shot.descriptor) }
                throw .system(step: "duplicating a descriptor", errno: code)
            }
            duplicates.append(duplicate)
        }
        return duplicates
    }

    /// What became of each shot, in the order of the volley.
    func reports(fired: Bool) -> [ShotReport] {
        var reports = [ShotReport?](repeating: nil, count: shots.count)
        for (shot, place) in zip(shots, places) {
            var report = ShotReport(due: HostInstant(nanosecondsSinceEpoch: shot.due_ns))
            if fired {
                report.writtenAt = HostInstant(nanosecondsSinceEpoch: shot.written_at_ns)
                if shot.written < 0 {
                    report.failure = .refused(errno: Int32(truncatingIfNeeded: -shot.written))
                } else if shot.written < shot.length {
                    report.failure = .cutShort(written: Int(shot.written), of: shot.length)
                }
            }
            reports[place] = report
        }
        return reports.compactMap { $0 }
    }
}
