import HypervisorAPI
import Time

/// The handles that a hypervisor has given out: which are still good, and why one is not.
struct HandleBook {
    private enum Standing {
        case issued
        case used
        case withdrawn
    }

    /// A handle is remembered this long after its end, so that a late replay is told from a forgery.
    private static let memory = Span.seconds(3600)

    private var entries: [String: (handle: Handle, standing: Standing)] = [:]

    mutating func issue(_ handle: Handle, now: HostInstant) {
        entries = entries.filter { $0.value.handle.expires + Self.memory > now }
        entries[handle.token] = (handle, .issued)
    }

    /// Uses a handle up. Whatever is thrown, the handle stays as it was.
    mutating func redeem(_ handle: Handle, at instant: HostInstant, now: HostInstant) throws(HypervisorError) {
        guard let entry = entries[handle.token] else {
            throw HypervisorError(code: "handle-unknown", message: "this host never gave out that handle")
        }
        guard entry.handle == handle else {
            throw HypervisorError(
                code: "handle-altered",
                message: "the handle is not as it was given out for \(entry.handle.kind) of \(entry.handle.simulation)"
            )
        }
        switch entry.standing {
        case .used:
            throw HypervisorError(code: "handle-used", message: "the handle has been used before; each is good once")
        case .withdrawn where now <= handle.expires:
            throw HypervisorError(code: "handle-withdrawn", message: "what the handle stood for was cancelled")
        case .withdrawn, .issued:
            break
        }
        guard now <= handle.expires else {
            throw HypervisorError(code: "handle-expired", message: "the handle expired at \(handle.expires)")
        }
        if let agreed = handle.instant, agreed != instant {
            throw HypervisorError(
                code: "instant-not-agreed",
                message: "the handle is for \(agreed), not for \(instant)"
            )
        }
        guard handle.instant != nil || (handle.earliest...max(handle.earliest, handle.expires)).contains(instant) else {
            throw HypervisorError(
                code: "instant-not-agreed",
                message:
                    "\(instant) is not between \(handle.earliest) and \(handle.expires), which the handle is good for"
            )
        }
        entries[handle.token]?.standing = .used
    }

    /// - Returns: whether there was something to withdraw: the handle was genuine and not used.
    mutating func withdraw(_ handle: Handle) -> Bool {
        guard let entry = entries[handle.token], entry.handle == handle, case .issued = entry.standing else {
            return false
        }
        entries[handle.token]?.standing = .withdrawn
        return true
    }
}

extension Handle {
    /// 128 bits from the system's generator.
    static func randomToken() -> String {
        var generator = SystemRandomNumberGenerator()
        return (0..<2).map { _ in
            let digits = String(generator.next() as UInt64, radix: 16)
            return String(repeating: "0", count: 16 - digits.count) + digits
        }.joined()
    }
}
