import JSON
import Testing

/// What a value in an answer of `--json` has to be.
indirect enum Shape: Sendable {
    /// Nanoseconds since the epoch: a whole number, of this century.
    case instant
    /// Nanoseconds: a whole number.
    case duration
    case count
    case text
    case truth
    case word(String)
    case list(Shape)
    /// At least these members.
    case members([String: Shape])
    /// Or null, when nobody knows.
    case orNull(Shape)
    case anything

    /// Says where a value is not so.
    func problems(of value: JSONValue?, at path: String = "") -> [String] {
        guard let value else { return ["\(path) is missing"] }
        let fits: Bool
        switch self {
        case .anything: fits = true
        case .orNull(let shape): return value == .null ? [] : shape.problems(of: value, at: path)
        case .instant:
            fits = value.int64Value.map { $0 > 946_684_800_000_000_000 && $0 < 4_102_444_800_000_000_000 } ?? false
        case .duration: fits = value.int64Value != nil
        case .count: fits = value.uint64Value != nil
        case .text: fits = value.stringValue?.isEmpty == false
        case .truth: fits = value.boolValue != nil
        case .word(let word): fits = value.stringValue == word
        case .list(let shape):
            guard let elements = value.arrayValue else { return ["\(path) is no list: \(value)"] }
            return elements.enumerated().flatMap { shape.problems(of: $1, at: "\(path)[\($0)]") }
        case .members(let members):
            guard value.objectValue != nil else { return ["\(path) is no object: \(value)"] }
            return members.sorted { $0.key < $1.key }.flatMap { $1.problems(of: value[$0], at: "\(path).\($0)") }
        }
        return fits ? [] : ["\(path) is not \(self): \(value)"]
    }
}

/// The objects of the outside contract.
extension Shape {
    static let reading: Shape = .members([
        "device": .text, "section": .text, "instance": .count, "kind": .text, "epoch": .text, "readsNs": .duration,
        "resolutionNs": .duration, "controllable": .truth, "alarms": .list(.anything),
    ])
    static let clock: Shape = .members([
        "atNs": .instant, "rtcNs": .instant, "virtualNs": .duration, "readings": .list(reading),
    ])
    static let stage: Shape = .members(["name": .text, "startedNs": .instant, "durationNs": .duration])
    static let ram: Shape = .members(["way": .text, "bytes": .count])

    /// The last line of `up`, `suspend` and `resume`.
    static func result(_ kind: String, _ machine: [String: Shape], _ further: [String: Shape] = [:]) -> Shape {
        let machine = machine.merging([
            "name": .text, "host": .text, "sentAtNs": .instant, "latenessNs": .duration, "stages": .list(stage),
            "notes": .list(.text),
        ]) { $1 }
        let all: [String: Shape] = [
            "event": .word("result"), "kind": .word(kind), "outcome": .word("done"), "exitCode": .count,
            "operation": .text, "simulation": .word(FaultLab.name), "deadlineNs": .instant, "spreadNs": .duration,
            "clockErrorBoundNs": .orNull(.duration), "startedNs": .instant, "finishedNs": .instant,
            "machines": .list(.members(machine)), "stages": .list(stage), "reasons": .list(.anything),
            "notes": .list(.text),
        ]
        return .members(all.merging(further) { $1 })
    }

    static let suspended = result(
        "suspend",
        ["stoppedAtNs": .instant, "clock": clock, "ram": ram],
        ["checkpoint": .text]
    )
    static let resumed = result(
        "resume",
        ["resumedAtNs": .instant, "clockBefore": clock, "clockAfter": clock, "ram": ram],
        ["checkpoint": .text, "policy": .text, "scope": .text]
    )
    static let started = result("start", ["resumedAtNs": .instant])
    static let clocks: Shape = .members([
        "simulation": .word(FaultLab.name),
        "machines": .list(
            .members([
                "name": .text, "readAtNs": .instant, "pauseNs": .duration, "notes": .list(.text),
                "clock": .members(["atNs": .instant, "rtcNs": .instant, "readings": .list(reading)]),
            ])
        ),
    ])
    static let summary: Shape = .members([
        "id": .text, "simulation": .word(FaultLab.name), "checkpoint": .text, "instantNs": .instant,
        "createdNs": .instant, "machines": .list(.text), "bytes": .count, "current": .truth,
        "sealed": .truth,
    ])
    static let checkpoint: Shape = .members([
        "summary": summary, "folder": .text,
        "manifest": .members([
            "machines": .list(.members(["name": .text, "clock": clock, "state": .members(["path": .text])]))
        ]),
    ])
    static let machine: Shape = .members([
        "simulation": .text, "name": .text, "host": .text, "state": .text, "runState": .text, "processID": .count,
        "adopted": .truth, "monitor": .text, "serialSockets": .list(.text), "launch": .anything,
    ])
    static let inspection: Shape = .members([
        "format": .text, "machineType": .text, "capabilities": .list(.text),
        "sections": .list(
            .members([
                "name": .text, "vmsd": .text, "instance": .count, "version": .count, "offset": .count, "size": .count,
            ])
        ),
        "clocks": .list(reading),
    ])
    static let doctor: Shape = .members([
        "home": .text,
        "hosts": .list(
            .members([
                "host": .text, "architecture": .text, "findings": .list(finding),
                "binaries": .list(
                    .members(["path": .text, "version": .list(.count), "target": .text, "sandbox": .truth])
                ),
            ])
        ),
        "findings": .list(finding),
    ])
    private static let finding: Shape = .members(["level": .text, "subject": .text, "message": .text])
}
