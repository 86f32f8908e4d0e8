import HypervisorAPI
import QMP

extension RAMWay {
    /// mapped-ram came with QEMU 9.0.
    static func supported(by qemuVersion: [Int]) -> Set<RAMWay> {
        (qemuVersion.first ?? 0) >= 9 ? [.file, .stream, .mapped] : [.file, .stream]
    }

    /// Whether a machine whose RAM is saved behind its back stays paused until it is told to go on. QEMU 7.2 restarts it by itself
    /// as soon as its own state is safe, when others of its simulation may not be; 10.0 does not (both measured). Of releases between
    /// them nothing is assumed.
    static func staysPausedBehind(_ qemuVersion: [Int]) -> Bool { (qemuVersion.first ?? 0) >= 10 }

    /// By which a machine is saved: RAM that is in a file stays there; otherwise the way that its manifest wants, or else the classic
    /// stream, the only one that can be loaded early and patched for an instant that is agreed on later.
    static func choose(for record: MachineRecord) throws(HypervisorError) -> RAMWay {
        // A file that somebody has removed is still the machine's memory, and can only be written.
        if let memory = record.memory, memory.shared, ProcFile.size(of: memory.path) == Int64(clamping: memory.bytes) {
            return .file
        }
        return try choose(for: record.launch.spec, qemuVersion: record.launch.qemuVersion)
    }

    /// The same of one that is not launched yet, should its RAM not come to be in a file.
    static func choose(for spec: MachineSpec, qemuVersion: [Int]) throws(HypervisorError) -> RAMWay {
        let wanted = spec.ramWay == .file ? .stream : spec.ramWay ?? .stream
        guard supported(by: qemuVersion).contains(wanted) else {
            let version = qemuVersion.map(String.init).joined(separator: ".")
            throw HypervisorError(
                code: "ram-way-unsupported",
                machine: spec.name,
                message: "`ram: \(wanted.rawValue)` needs QEMU 9.0 or later, and this is \(version); use `ram: stream`"
            )
        }
        return wanted
    }

    func saver(to path: String, monitor: QMPConnection) -> any StateSaver {
        switch self {
        case .stream: StreamSaver(path: path, monitor: monitor)
        case .file: StreamSaver(path: path, monitor: monitor, sharedLeftOut: true)
        case .mapped: MappedSaver(path: path, monitor: monitor)
        }
    }
}
