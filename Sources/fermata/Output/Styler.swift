enum Style {
    case strong, faint, good, warning, bad
}

/// Puts styles around text where the output can show them.
struct Styler: Sendable {
    let enabled: Bool

    func apply(_ style: Style?, _ text: String) -> String {
        guard enabled, let style, !text.isEmpty else { return text }
        return "\u{1B}[\(Self.code(style))m\(text)\u{1B}[0m"
    }

    /// Select Graphic Rendition parameters of ECMA-48.
    private static func code(_ style: Style) -> String {
        switch style {
        case .strong: "1"
        case .faint: "2"
        case .good: "32"
        case .warning: "33"
        case .bad: "31"
        }
    }
}
