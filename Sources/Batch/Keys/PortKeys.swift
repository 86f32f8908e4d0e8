import Manifest

/// The machine that a step is about.
enum PortKeys {
    static let machine = Key("machine", ValueType<String>.name(of: "machine"), required: true, "the machine's name")
    static let port = Key(
        "port",
        ValueType<Int>.integer(0...255),
        "the number of its serial port; the first that is no link if left out"
    )

    static func port(_ object: ObjectReader) -> Port? {
        let number = object(port)
        return object(machine).map { Port(machine: $0, number: number, place: object.place(of: machine)) }
    }
}
