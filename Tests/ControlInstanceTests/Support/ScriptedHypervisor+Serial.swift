import HypervisorAPI
import Synchronization

extension ScriptedHypervisor {
    func readSerial(_ port: SerialPlace, from offset: UInt64?) async throws(HypervisorError) -> SerialChunk {
        let key = "\(port.simulation)/\(port.machine)"
        let (isOff, said, runs) = world.withLock { ($0.isOff, $0.said[key] ?? [], $0.machines[key] != nil) }
        if isOff { throw HypervisorError(code: "host-unreachable", message: "\(host) cannot be reached") }
        let start = offset.flatMap { Int(exactly: $0) } ?? 0
        let new = said.dropFirst(start > said.count ? 0 : start)
        // One that waits for more; not as long as a real one.
        if new.isEmpty { try? await Task.sleep(for: .milliseconds(5)) }
        return SerialChunk(end: UInt64(said.count), bytes: Array(new), runs: runs)
    }

    func writeSerial(_ bytes: [UInt8], to port: SerialPlace) async throws(HypervisorError) {
        guard !world.withLock({ $0.isOff }) else {
            throw HypervisorError(code: "host-unreachable", message: "\(host) cannot be reached")
        }
        world.withLock {
            $0.typed.append(
                "\(port.simulation)/\(port.machine)/\(port.number) \(String(decoding: bytes, as: UTF8.self))"
            )
        }
    }

    /// From now on it has a serial port, and has said that, too.
    func say(_ text: String, _ machine: String) { world.withLock { $0.said[machine, default: []] += Array(text.utf8) } }
}
