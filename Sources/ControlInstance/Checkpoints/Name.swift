import HypervisorAPI

extension Name {
    static func check(_ name: String, of what: String) throws(ControlError) {
        guard isValid(name) else { throw error(name, of: what) }
    }

    static func error(_ name: String, of what: String) -> ControlError {
        ControlError(
            code: "name-invalid",
            message: "'\(name)' cannot be the name of a \(what): up to 63 of a-z, 0-9, _ and -, "
                + "the first a letter or digit",
            exitCode: 2
        )
    }
}
