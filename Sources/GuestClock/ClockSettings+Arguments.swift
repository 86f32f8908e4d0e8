public import Time

extension ClockSettings {
    /// Reads `-rtc`, `-icount`, `-accel`, `-machine accel=` and `-enable-kvm` from a QEMU command line, as for a process that
    /// somebody else started.
    ///
    /// - Parameters:
    ///   - arguments: with or without the binary's name.
    ///   - accelerator: the one in use, as QEMU told it; nil to go by the arguments, where the first of several counts.
    /// - Throws: ``ClockError/invalidArgument(_:reason:)`` for what QEMU would not take, or no accelerator of ours.
    public init(
        arguments: [String],
        processStart: HostInstant,
        qemu: QEMURelease,
        accelerator: Accelerator? = nil,
        hostTSCHz: Int64? = nil,
        localUTCOffset: Span = .zero
    ) throws(ClockError) {
        self.init(
            clock: .host,
            base: .utc,
            accelerator: accelerator ?? .tcg,
            processStart: processStart,
            qemu: qemu,
            hostTSCHz: hostTSCHz,
            localUTCOffset: localUTCOffset
        )
        var accelerators: [String] = []
        var rest = arguments[...]
        while let argument = rest.popFirst() {
            switch argument.hasPrefix("--") ? String(argument.dropFirst()) : argument {
            case "-rtc": try readRTC(rest.popFirst() ?? "")
            case "-icount": readInstructionCount(rest.popFirst() ?? "")
            case "-enable-kvm": accelerators.append("kvm")
            case "-accel": accelerators += Self.options(rest.popFirst() ?? "", implied: "accel").values(of: "accel")
            case "-machine", "-M":
                let machine = Self.options(rest.popFirst() ?? "", implied: "type")
                accelerators += machine.values(of: "accel").flatMap { $0.split(separator: ":").map(String.init) }
            default: break
            }
        }
        guard accelerator == nil, let first = accelerators.first else { return }
        guard let known = Accelerator(rawValue: first) else {
            throw .invalidArgument("-accel \(first)", reason: "machines run under tcg or kvm here")
        }
        self.accelerator = known
    }

    private mutating func readRTC(_ text: String) throws(ClockError) {
        // Later options win, as QEMU merges them.
        for (key, value) in Self.options(text, implied: "base").pairs {
            switch key {
            case "clock":
                guard let source = RTCClockSource(rawValue: value) else {
                    throw .invalidArgument("-rtc \(text)", reason: "there is no clock '\(value)': host, vm or rt")
                }
                clock = source
            case "base" where value == "utc": base = .utc
            case "base" where value == "localtime": base = .localtime
            case "base":
                guard let seconds = CivilTime(text: value)?.secondsSinceEpoch,
                    let nanoseconds = Int64(exactly: Int128(seconds) * .second)
                else {
                    throw .invalidArgument("-rtc \(text)", reason: "'\(value)' is no time such as 2024-02-29T12:00:00")
                }
                base = .instant(HostInstant(nanosecondsSinceEpoch: nanoseconds))
            default: break
            }
        }
    }

    private mutating func readInstructionCount(_ text: String) {
        // `auto` is no number: the stream then tells.
        for shift in Self.options(text, implied: "shift").values(of: "shift") { icountShift = Int(shift) }
    }

    private struct Options {
        var pairs: [(key: String, value: String)] = []

        func values(of key: String) -> [String] { pairs.filter { $0.key == key }.map(\.value) }
    }

    /// Splits at single commas; two stand for one in a value.
    private static func options(_ text: String, implied: String) -> Options {
        var parts = [""]
        var rest = Substring(text)
        while let character = rest.popFirst() {
            if character != "," {
                parts[parts.count - 1].append(character)
            } else if rest.first == "," {
                rest.removeFirst()
                parts[parts.count - 1].append(",")
            } else {
                parts.append("")
            }
        }
        var options = Options()
        for (index, part) in parts.enumerated() where !part.isEmpty {
            let halves = part.split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false).map(String.init)
            if halves.count == 2 {
                options.pairs.append((halves[0], halves[1]))
            } else {
                options.pairs.append(index == 0 ? (implied, part) : (part, "on"))
            }
        }
        return options
    }
}
