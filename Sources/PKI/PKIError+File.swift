import Glibc

extension PKIError {
    /// - Parameter verb: as in "cannot be opened".
    static func file(_ verb: String, _ path: String, _ number: Int32 = errno) -> PKIError {
        switch number {
        case ENOENT: PKIError(.missing, "\(path) cannot be \(verb): it is not there")
        case EEXIST: PKIError(.exists, "\(path) cannot be \(verb): it is there already, and nothing is written over")
        case ELOOP: PKIError(.permissions, "\(path) is a symbolic link: put the file itself there")
        case EACCES, EPERM:
            PKIError(.permissions, "\(path) cannot be \(verb): this user may not (\(errorText(number)))")
        default: PKIError(.io, "\(path) cannot be \(verb): \(errorText(number))")
        }
    }
}

/// "No space left on device (errno 28)".
private func errorText(_ code: Int32) -> String {
    var buffer = [CChar](repeating: 0, count: 256)
    guard strerror_r(code, &buffer, buffer.count) == 0 else { return "errno \(code)" }
    let text = buffer.prefix { $0 != 0 }.map { UInt8(bitPattern: $0) }
    return "\(String(decoding: text, as: UTF8.self)) (errno \(code))"
}
