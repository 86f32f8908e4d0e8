import HypervisorAPI
import Synchronization

extension ScriptedHypervisor {
    func readSerial(_ port: SerialPlace, from offset: UInt64?) async throws(HypervisorError) -> SerialChunk {
        let key = "\(port.simulation)/\(port.machine)"
        return try await waiting { world in
            let said = world.said[key] ?? []
            let start = offset.flatMap { Int(exactly: $0) } ?? 0
            let new = said.dropFirst(start > said.count ? 0 : start)
            let runs = world.machines[key] != nil
            return (SerialChunk(end: UInt64(said.count), bytes: Array(new), runs: runs), !new.isEmpty || !runs)
        }
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
