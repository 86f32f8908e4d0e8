extension StrictLexer {
    /// How far a number has got in `-? (0 | [1-9][0-9]*) (. [0-9]+)? ([eE] [+-]? [0-9]+)?`.
    enum NumberState: Hashable {
        case sign
        case zero
        case digits
        case point
        case fraction
        case exponentMark
        case exponentSign
        case exponent

        static func first(_ byte: UInt8) -> NumberState? {
            switch byte {
            case UInt8(ascii: "-"): .sign
            case UInt8(ascii: "0"): .zero
            case UInt8(ascii: "1")...UInt8(ascii: "9"): .digits
            default: nil
            }
        }

        /// The state behind `byte`; nil when that byte does not go on with the number.
        func next(_ byte: UInt8) -> NumberState? {
            switch (self, byte) {
            case (.sign, UInt8(ascii: "0")): .zero
            case (.sign, UInt8(ascii: "1")...UInt8(ascii: "9")): .digits
            case (.digits, UInt8(ascii: "0")...UInt8(ascii: "9")): .digits
            case (.zero, UInt8(ascii: ".")), (.digits, UInt8(ascii: ".")): .point
            case (.point, UInt8(ascii: "0")...UInt8(ascii: "9")): .fraction
            case (.fraction, UInt8(ascii: "0")...UInt8(ascii: "9")): .fraction
            case (.zero, UInt8(ascii: "e")), (.zero, UInt8(ascii: "E")): .exponentMark
            case (.digits, UInt8(ascii: "e")), (.digits, UInt8(ascii: "E")): .exponentMark
            case (.fraction, UInt8(ascii: "e")), (.fraction, UInt8(ascii: "E")): .exponentMark
            case (.exponentMark, UInt8(ascii: "+")), (.exponentMark, UInt8(ascii: "-")): .exponentSign
            case (.exponentMark, UInt8(ascii: "0")...UInt8(ascii: "9")): .exponent
            case (.exponentSign, UInt8(ascii: "0")...UInt8(ascii: "9")): .exponent
            case (.exponent, UInt8(ascii: "0")...UInt8(ascii: "9")): .exponent
            default: nil
            }
        }

        var isComplete: Bool {
            switch self {
            case .zero, .digits, .fraction, .exponent: true
            case .sign, .point, .exponentMark, .exponentSign: false
            }
        }

        var isWhole: Bool { self == .zero || self == .digits }
    }

    mutating func extendNumber(_ byte: UInt8, _ next: NumberState) throws(JSONError) {
        guard document.count - numberStart.document < Self.longestNumber else {
            throw JSONError(.numberTooLong(limit: Self.longestNumber), offset: numberStart.stream)
        }
        document.append(byte)
        state = .number(next)
    }

    /// json-c would clamp a whole number beyond 64 bits and read 1e999 as infinity, both in silence.
    mutating func endNumber(_ number: NumberState) throws(JSONError) {
        guard number.isComplete else { throw JSONError(.invalidNumber, offset: numberStart.stream) }
        let text = String(decoding: document[numberStart.document...], as: UTF8.self)
        let fits =
            if number.isWhole {
                Int64(text) != nil || UInt64(text) != nil
            } else {
                Double(text)?.isFinite == true
            }
        guard fits else { throw JSONError(.numberOutOfRange, offset: numberStart.stream) }
        endValue()
    }
}
