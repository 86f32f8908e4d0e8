import ArgumentParser
import Logging

/// How a daemon or an agent tells what it does, on standard error.
struct LogOptions: ParsableArguments {
    enum Format: String, CaseIterable, ExpressibleByArgument {
        case text, json
    }

    @Option(
        help: ArgumentHelp("trace, debug, info, notice, warning, error.", valueName: "level"),
        transform: { try level($0) }
    )
    var logLevel: Logger.Level = .info

    @Option(help: ArgumentHelp("text for people, json for programs: one object a line.", valueName: "format"))
    var logFormat: Format = .text

    /// Once in a process.
    func logger() -> Logger {
        let format = logFormat
        LoggingSystem.bootstrap { label in
            switch format {
            case .text: StreamLogHandler.standardError(label: label)
            case .json: JSONLogHandler(label: label)
            }
        }
        var logger = Logger(label: "fermata")
        logger.logLevel = logLevel
        return logger
    }

    private static func level(_ text: String) throws -> Logger.Level {
        guard let level = Logger.Level(rawValue: text) else {
            let known = Logger.Level.allCases.map(\.rawValue).joined(separator: ", ")
            throw ValidationError("'\(text)' is no log level: write one of \(known)")
        }
        return level
    }
}
