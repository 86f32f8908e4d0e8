import HypervisorAPI

extension AdoptedCommandLine {
    /// Why a process with this line cannot be started again as the same machine; empty when it can be.
    /// Paths must be absolute already.
    /// - Parameter survey: the machine as it runs now; disks may have been changed since its start.
    func obstacles(_ survey: MachineSurvey) -> [Reason] {
        var obstacles: [Reason] = []
        func refuse(_ code: String, _ message: String) { obstacles.append(Reason(code: code, message: message)) }

        if has("snapshot") { refuse("adopted-snapshot", "it runs with -snapshot: what its disks hold is in no file") }
        if has("add-fd") { refuse("adopted-descriptor", "-add-fd names descriptors that only its starter had") }
        if has("chroot") { refuse("adopted-chroot", "it runs in another root folder (-chroot)") }
        if has("preconfig") {
            refuse("adopted-preconfig", "-preconfig: its devices were made by commands, not by options")
        }
        for option in options {
            guard let value = option.value else { continue }
            if option.name == "drive", BlockOptions(value)?["snapshot"] == "on" {
                refuse("adopted-snapshot", "a drive runs with snapshot=on: what it holds is in no file")
            }
            if Self.usesDescriptor(option.name, value) {
                refuse("adopted-descriptor", "-\(option.name) \(value) names a descriptor that only its starter had")
            }
        }
        return obstacles + diskObstacles(survey)
    }

    private static func usesDescriptor(_ name: String, _ value: String) -> Bool {
        guard ["netdev", "nic", "net", "chardev", "blockdev", "drive", "device", "object"].contains(name) else {
            return false
        }
        if value.contains("/dev/fdset/") { return true }
        let keys = ["fd", "fds", "vhostfd", "vhostfds"]
        guard !value.hasPrefix("{") else {
            return keys.contains { value.contains("\"\($0)\"") } || value.contains("\"fd\"")
        }
        let options = OptionValue(value)
        return keys.contains { options[$0] != nil } || options["addr.type"] == "fd" || options["local.type"] == "fd"
    }

    private func diskObstacles(_ survey: MachineSurvey) -> [Reason] {
        var obstacles: [Reason] = []
        let named = disks
        for disk in survey.disks where !disk.readOnly {
            guard disk.file.hasPrefix("/") else {
                obstacles.append(
                    Reason(
                        code: "adopted-disk",
                        message: "the disk '\(disk.nodeName)' is '\(disk.file)', no file of this host"
                    )
                )
                continue
            }
            guard !named.contains(where: { $0.file == disk.file }) else { continue }
            obstacles.append(
                Reason(
                    code: "adopted-disk",
                    message: "the disk \(disk.file) is not on its command line; it was added or replaced later"
                )
            )
        }
        for option in options where option.name == "blockdev" {
            guard let node = option.value.flatMap({ BlockOptions($0) }), node["backing"] != nil else { continue }
            obstacles.append(
                Reason(
                    code: "adopted-disk",
                    message:
                        "the node '\(node["node-name"] ?? "")' names its backing node itself; no overlay can go on it"
                )
            )
        }
        return obstacles
    }
}
