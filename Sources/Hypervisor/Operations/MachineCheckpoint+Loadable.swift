import Glibc
import HypervisorAPI
import MigrationStream

extension MachineCheckpoint {
    /// A machine of another type or architecture is refused by name here, before a QEMU says it in its own words.
    func refuseUnlessLoadable(by facts: QEMUFacts) throws(HypervisorError) {
        guard facts.pinnedMachineType(launch.pinnedMachineType) != nil else {
            throw HypervisorError(
                code: "checkpoint-incompatible",
                machine: name,
                message: "the checkpoint is of machine type \(launch.pinnedMachineType), which \(facts.path) "
                    + "(QEMU \(facts.version.map(String.init).joined(separator: ".")), \(facts.target)) does not have"
            )
        }
        guard RAMWay.supported(by: facts.version).contains(ramWay) else {
            throw HypervisorError(
                code: "checkpoint-incompatible",
                machine: name,
                message: "the checkpoint's RAM is in a mapped-ram file, which needs QEMU 9.0 or later to load"
            )
        }
    }
}

extension CheckpointFolder {
    /// Opens a machine's state and compares everything that can be compared without reading RAM: the size, the digest of the
    /// devices, the machine type.
    func state(of machine: MachineCheckpoint) async throws(HypervisorError) -> StoredState {
        let path = try file(machine.state.path)
        guard access(path, F_OK) == 0 else {
            throw HypervisorError(code: "checkpoint-corrupt", machine: machine.name, message: "\(path) is missing")
        }
        let state = try StoredState(path: path)
        func refuse(_ what: String) -> HypervisorError {
            HypervisorError(code: "checkpoint-corrupt", machine: machine.name, message: "\(state.path) \(what)")
        }
        guard state.stream.size == machine.state.bytes else {
            throw refuse("has \(state.stream.size) bytes; the checkpoint was sealed with \(machine.state.bytes)")
        }
        guard state.stream.deviceStateOffset == machine.deviceStateOffset,
            try await FileDigest.sha256(of: state.path, from: machine.deviceStateOffset) == machine.deviceStateSHA256
        else {
            throw refuse("has other device state than the checkpoint was sealed with")
        }
        guard state.stream.machineType == machine.launch.pinnedMachineType else {
            throw HypervisorError(
                code: "checkpoint-incompatible",
                machine: machine.name,
                message: "\(state.path) is of machine type \(state.stream.machineType ?? "unknown"), "
                    + "not \(machine.launch.pinnedMachineType)"
            )
        }
        return state
    }

    /// - Throws: for a path that leads out of the folder: manifests come from other people, too.
    func file(_ relative: String) throws(HypervisorError) -> String {
        let parts = relative.split(separator: "/", omittingEmptySubsequences: false)
        guard !parts.isEmpty, !parts.contains(where: { $0.isEmpty || $0 == "." || $0 == ".." }) else {
            throw HypervisorError(
                code: "checkpoint-corrupt",
                message: "the manifest names '\(relative)', no file of the checkpoint"
            )
        }
        return "\(path)/\(relative)"
    }
}
