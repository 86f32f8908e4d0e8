import MigrationStream
import Testing

/// Damage must give an error or a map of the same shape: never a crash, never other sections.
@Suite struct DamageTests {
    @Test(arguments: Recording.small)
    func `Any flipped bit gives an error or the same sections`(recording: Recording) throws {
        var random = SeededGenerator(seed: 2)
        let bytes = try recording.bytes()
        let stream = try recording.map()
        let shape = Shape(stream)
        var moved: [Int] = []
        for round in 0..<45 {
            // A third in the head, a third in the devices, a third in the description.
            let last = try #require(stream.sections.last)
            let devices = Int(stream.deviceStateOffset)..<Int(last.offset + last.size) + 1
            let range = [0..<400, devices, devices.upperBound..<bytes.count][round % 3]
            let bit = Int.random(in: range.lowerBound * 8..<range.upperBound * 8, using: &random)
            var flipped = bytes
            flipped[bit / 8] ^= 1 << (bit % 8)
            if let map = try? CheckpointStream(reading: MemorySource(flipped)), Shape(map) != shape {
                moved.append(bit)
            }
        }
        #expect(moved.isEmpty)
    }

    @Test(arguments: Recording.small)
    func `A damaged header or footer of a device is found`(recording: Recording) throws {
        let bytes = try recording.bytes()
        let stream = try recording.map()
        var missed: [String] = []
        for section in stream.sections.filter({ $0.idstr != "s390_css" }).prefix(4) {
            let footer = section.offset + section.size - 5
            for place in [section.offset, section.offset + 2, section.offset + 6, footer, footer + 3] {
                var damaged = bytes
                damaged[Int(place)] ^= 0x80
                if (try? CheckpointStream(reading: MemorySource(damaged))) != nil {
                    missed.append("\(section.idstr) \(place)")
                }
            }
        }
        #expect(missed.isEmpty)
    }

    @Test(arguments: zip(Recording.small, [40, 1000, 40, 40]))
    func `A stream cut anywhere before its last device is an error`(recording: Recording, parts: Int) throws {
        let bytes = try recording.bytes()
        let stream = try recording.map()
        let last = try #require(stream.sections.last)
        let end = Int(last.offset + last.size)
        let kinds: Set<StreamError.Kind> = [.truncated, .corrupt, .notACheckpoint, .unsupported]
        var wrong: [Int] = []
        for part in 0..<parts {
            let length = bytes.count * part / parts
            do {
                let map = try CheckpointStream(reading: MemorySource(Array(bytes[..<length])))
                if length <= end || map.sections.map(Bare.init) != stream.sections.map(Bare.init) {
                    wrong.append(length)
                }
            } catch  where !kinds.contains(error.kind) {
                wrong.append(length)
            } catch {
                if length > end { wrong.append(length) }
            }
        }
        #expect(wrong.isEmpty)
    }

    @Test func `Random bytes in the tail never crash`() throws {
        var random = SeededGenerator(seed: 3)
        let recording = Recording(name: "microvm-10.0")
        let bytes = try recording.bytes()
        let stream = try recording.map()
        for _ in 0..<50 {
            var damaged = bytes
            for _ in 0..<Int.random(in: 1...40, using: &random) {
                let place = Int.random(in: Int(stream.deviceStateOffset)..<bytes.count, using: &random)
                damaged[place] = UInt8.random(in: 0...255, using: &random)
            }
            _ = try? CheckpointStream(reading: MemorySource(damaged))
            _ = try? CheckpointStream(
                tail: Array(damaged[Int(stream.deviceStateOffset)...]),
                at: stream.deviceStateOffset
            )
        }
    }
}
