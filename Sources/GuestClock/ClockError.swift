/// Why a machine's clocks cannot be read from a stream, or cannot be made to follow a policy.
public enum ClockError: Error, Hashable, Sendable, CustomStringConvertible {
    /// A text that is none of `continue`, `host`, `+<duration>`, `-<duration>`, `at=<ISO 8601>`.
    case invalidPolicy(String, problem: String)
    /// A clock device whose state has a layout that this program does not know.
    case unknownVersion(device: String, section: String, version: UInt32)
    /// A clock device's section lacks a field that its version must have.
    case missingField(device: String, section: String, field: String)
    /// The stream lacks a section that every machine has.
    case missingSection(String)
    /// A field holds, or would have to hold, what no clock can read.
    case outOfRange(device: String, section: String, field: String)
    /// The clocksource can only move forward.
    case backward(nanoseconds: Int64)
    /// A clock of the scope cannot be moved.
    case cannotMove(device: String, section: String, reason: String)
    /// A `-rtc` argument that QEMU would not take.
    case invalidArgument(String, reason: String)
    /// The bytes of the stream could not be read.
    case unreadable(section: String, reason: String)

    public var description: String {
        switch self {
        case .invalidPolicy(let text, let problem):
            "'\(text)' is not a clock policy, \(problem): write continue, host, an offset such as +90s or -5m, or at=<ISO 8601 time>"
        case .unknownVersion(let device, let section, let version):
            "the clock \(device) (section \(section)) is saved in layout version \(version), which this program does not "
                + "know: use a release of fermata that knows the QEMU that wrote the checkpoint"
        case .missingField(let device, let section, let field):
            "the clock \(device) (section \(section)) has no field \(field) in the checkpoint: it is damaged, or written "
                + "by a QEMU that this program does not know"
        case .missingSection(let name):
            "the checkpoint has no section \(name), which every machine's has: it is damaged or not complete"
        case .outOfRange(let device, let section, let field):
            "the field \(field) of the clock \(device) (section \(section)) holds or would have to hold a value out of "
                + "range: choose a time nearer to the one that the clock reads, or check the checkpoint"
        case .backward(let nanoseconds):
            "the clocksource would have to go back by \(Self.seconds(nanoseconds)) s, and a guest's clocksource can only go "
                + "forward: use scope rtc, or a later time"
        case .cannotMove(let device, let section, let reason):
            "the clock \(device) (section \(section)) cannot be moved: \(reason)"
        case .invalidArgument(let argument, let reason):
            "QEMU's argument '\(argument)' cannot be used: \(reason)"
        case .unreadable(let section, let reason):
            "the bytes of section \(section) cannot be read: \(reason)"
        }
    }

    private static func seconds(_ nanoseconds: Int64) -> String {
        let magnitude = nanoseconds.magnitude
        let fraction = String(magnitude % 1_000_000_000)
        return "\(magnitude / 1_000_000_000).\(String(repeating: "0", count: 9 - fraction.count))\(fraction)"
    }
}
