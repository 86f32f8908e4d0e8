import FoundationEssentials
import HypervisorAPI

/// What the hook of a trigger reads.
struct TriggerInput: Encodable {
    let event = HookEvent.trigger
    let simulation: String
    let trigger: TriggerReport

    /// One line.
    var bytes: [UInt8] {
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
        // Strings and integers always encode.
        return Array((try? encoder.encode(self)) ?? Data()) + [UInt8(ascii: "\n")]
    }
}
