import GuestClock
import HypervisorAPI
import Time

/// Everything that a machine's command line is made of. Sockets, overlays and links are named, not yet made.
struct LaunchPlan: Sendable {
    /// A link's end, as the process will inherit it.
    struct Attachment: Hashable, Sendable {
        var link: LinkSpec
        /// Index into ``LinkSpec/ends``.
        var end: Int
        /// The descriptor's number inside the QEMU process.
        var descriptor: Int32
    }

    var simulation: String
    var spec: MachineSpec
    var facts: QEMUFacts
    /// Absolute; sockets, logs and overlays live in it.
    var folder: String
    /// From ``DiskLayers``: overlays that are there already.
    var disks: [MachineRecord.RunningDisk]
    /// From ``attachments(of:links:)``.
    var attachments: [Attachment]
    /// Waits for a stream to be loaded (`-incoming defer`).
    var incoming: Bool
    /// What RTC devices begin with; an instant in whole seconds.
    var rtcBase: RTCBase
    /// The versioned name; for a resume the one that the stream carries, whatever an alias means to this binary.
    var pinnedMachineType: String
    /// ``LaunchRecord/adoptedArguments``: the line to start from instead of the spec's.
    var adoptedArguments: [String]?
    /// nil: QEMU's own.
    var memory: MachineRecord.Memory?
    /// Where logs go on from one process of the machine to the next; nil: ``folder``.
    var logFolder: String?

    var monitorPath: String { "\(folder)/qmp.sock" }
    var logPath: String { "\(logFolder ?? folder)/qemu.log" }
    func serialSocketPath(_ port: Int) -> String { "\(folder)/serial\(port).sock" }
    func serialLogPath(_ port: Int) -> String { "\(logFolder ?? folder)/serial\(port).log" }

    /// The monitor's listening socket. QEMU inherits it already listening, so that nobody has to poll for it to appear.
    static let monitorDescriptor: Int32 = 99
    /// The value of `-chardev` for it; by this argument a QEMU of ours is known.
    static let monitorCharacterDevice = "socket,id=fermata-monitor,fd=\(monitorDescriptor),server=on,wait=off"
    /// Numbers well above those that QEMU opens by itself before it looks at its options.
    static let firstLinkDescriptor: Int32 = 100

    /// Gives each link's end at a machine its descriptor number, always the same for the same spec.
    static func attachments(of machine: String, links: [LinkSpec]) -> [Attachment] {
        var attachments: [Attachment] = []
        for link in links {
            for (index, end) in link.ends.enumerated() where end.machine == machine {
                let descriptor = firstLinkDescriptor + Int32(attachments.count)
                attachments.append(Attachment(link: link, end: index, descriptor: descriptor))
            }
        }
        return attachments
    }
}
