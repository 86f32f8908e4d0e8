import HypervisorAPI
import Time

package enum ResourceKeys {
    static let acquire = Key("acquire", argumentVector, required: true, "the command that takes it, with its arguments")
    static let release = Key("release", argumentVector, required: true, "the command that gives it back")
    static let check = Key("check", argumentVector, "the command that succeeds while it is held")
    static let timeout = Key("timeout", ValueType<Span>.duration, standard: "10s", "how long each command may take")

    package static let argumentVector = ValueType<[Placed<String>]>.list(
        of: ValueType<String>.string,
        atLeast: 1,
        "a list of a command and its arguments"
    ).map { words, _, reading -> [String]? in
        var words = words.map(\.value)
        // A bare name is looked up when it runs; a path belongs to the file that names it.
        if let command = words.first, command.contains("/") { words[0] = Paths.absolute(command, from: reading.folder) }
        return words
    }

    static func type(named name: String) -> ValueType<ResourceSpec> {
        ValueType<ResourceSpec>.object(
            "a resource",
            label: "a resource's mapping",
            keys: [acquire.description, release.description, check.description, timeout.description]
        ) { object in
            let acquire = object(acquire)
            let release = object(release)
            let check = object(check)
            let timeout = object(timeout) ?? .seconds(10)
            guard let acquire, let release else { return nil }
            return ResourceSpec(name: name, acquire: acquire, release: release, check: check, timeout: timeout)
        }
    }
}
