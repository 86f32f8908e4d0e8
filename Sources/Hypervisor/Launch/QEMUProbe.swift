import CShims
import Glibc
import HypervisorAPI
import Time

/// Asks QEMU binaries what they are, once for each state of the file.
actor QEMUProbe {
    private struct Key: Hashable {
        var path: String
        var modifiedNs: Int64
        var size: Int64
    }

    private var known: [Key: Task<QEMUFacts, any Error>] = [:]

    /// - Parameter path: absolute.
    func facts(of path: String) async throws(HypervisorError) -> QEMUFacts {
        var status = stat()
        guard stat(path, &status) == 0, access(path, X_OK) == 0 else {
            throw HypervisorError(
                code: "qemu-missing",
                message:
                    "\(path) cannot be started: \(String(cString: strerror(errno))); install QEMU or name another binary"
            )
        }
        let modified = Int64(status.st_mtim.tv_sec) * 1_000_000_000 + Int64(status.st_mtim.tv_nsec)
        let key = Key(path: path, modifiedNs: modified, size: Int64(status.st_size))
        let task = known[key] ?? Task { try await Self.ask(path) }
        known[key] = task
        do {
            return try await task.value
        } catch {
            known[key] = nil
            throw (error as? HypervisorError) ?? HypervisorError(code: "qemu-unusable", message: "\(path): \(error)")
        }
    }

    private static func ask(_ path: String) async throws(HypervisorError) -> QEMUFacts {
        async let versionText = answer(path, "--version")
        async let machineText = answer(path, "-machine", "help")
        async let helpText = answer(path, "-h")
        async let monitorText = monitor(path)
        let texts: (String, String, String, String)
        do {
            texts = try await (versionText, machineText, helpText, monitorText)
        } catch {
            throw (error as? HypervisorError) ?? HypervisorError(code: "qemu-unusable", message: "\(path): \(error)")
        }
        guard let version = QEMUHelp.version(in: texts.0) else {
            throw HypervisorError(
                code: "qemu-unusable",
                message: "\(path) does not say that it is QEMU; its --version says '\(texts.0.prefix(80))'"
            )
        }
        return QEMUFacts(
            path: path,
            version: version,
            target: QEMUHelp.target(ofBinary: path),
            machines: QEMUHelp.machines(in: texts.1),
            sandbox: texts.2.contains("-sandbox on"),
            memoryIDs: QEMUHelp.memoryIDs(in: texts.3)
        )
    }

    /// A machine of nothing, asked what others are made of.
    private static func monitor(_ path: String) async throws(HypervisorError) -> String {
        var command = ShortCommand(
            arguments: [path, "-M", "none", "-nodefaults", "-display", "none", "-qmp", "stdio"],
            timeout: .seconds(30)
        )
        command.input = ["qmp_capabilities", "query-machines", "quit"].map { "{\"execute\": \"\($0)\"}\n" }.joined()
        return String(decoding: try await command.runSuccessfully().standardOutput, as: UTF8.self)
    }

    private static func answer(_ arguments: String...) async throws(HypervisorError) -> String {
        // Loaded hosts start a QEMU slowly; it is asked once.
        let output = try await ShortCommand(arguments: arguments, timeout: .seconds(30)).runSuccessfully()
        return String(decoding: output.standardOutput, as: UTF8.self)
    }
}
