import Manifest
import Time

enum CommandKeys {
    static let run = Key("run", ResourceKeys.argumentVector, required: true, "the command, with its arguments")
    static let exit = Key("exit", ValueType<Int>.integer(0...255), standard: "0", "the exit status that is expected")
    static let timeout = Key(
        "timeout",
        ValueType<Span>.duration,
        "how long it may take; then it is ended, with all that it has started"
    )

    static let exec = Key(
        "exec",
        ValueType<Step>.either(
            ResourceKeys.argumentVector.map { words, item, _ in
                Step(place: item.place, action: .execute(words, status: 0))
            },
            orObject: .object(
                "exec",
                label: "a mapping with run, exit, timeout",
                keys: [run.description, exit.description, timeout.description]
            ) { object in
                let words = object(run)
                let status = object(exit) ?? 0
                let timeout = object(timeout)
                return words.map {
                    Step(place: object.place, action: .execute($0, status: status), timeout: timeout)
                }
            }
        ),
        "runs a command on this host, in the batch file's folder, with the environment of `fermata run`"
    )

    static let text = Key("text", ValueType<String>.string, "what is typed, as it stands")
    static let line = Key("line", ValueType<String>.string, "what is typed, with a line feed behind it")

    static let send = Key(
        "send",
        ValueType<Step>.object(
            "send",
            label: "a mapping with machine and line or text",
            keys: [PortKeys.machine.description, PortKeys.port.description, line.description, text.description]
        ) { object in
            let port = PortKeys.port(object)
            let line = object(line)
            let text = object(text)
            guard object.has(Self.line) != object.has(Self.text) else {
                object.reading.report("a send has either 'line' or 'text'", at: object.place)
                return nil
            }
            guard let port, let typed = line.map({ "\($0)\n" }) ?? text else { return nil }
            return Step(place: object.place, action: .send(port, typed))
        },
        "types something into a machine's serial console"
    )
}
