import HypervisorAPI

extension MachineCheckpoint {
    /// Images of an adopted machine that could not be shared with the checkpoint's folder and stay where they are.
    var imagesLeftInPlace: [String] {
        guard launch.adoptedArguments != nil else { return [] }
        return disks.filter { $0.file.path.hasPrefix("/") }.map {
            "the image \($0.file.path) now belongs to the checkpoint and must not be written any more; it was left where it is"
        }
    }
}
