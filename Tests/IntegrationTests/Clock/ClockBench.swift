import Testing

/// Which boards can be made here; says once for each why not.
actor ClockBench {
    static let shared = ClockBench()
    /// By board and release; nil: none.
    private var problems: [String: Task<String?, Never>] = [:]

    /// nil when the row cannot be made; then the reason has been printed.
    func binary(for board: ClockBoard, release: QEMUUnderTest) async throws -> String? {
        let key = "\(board.name) \(release)"
        if let known = problems[key] { return await known.value == nil ? release.binary(board.architecture) : nil }
        let task = Task {
            let problem = await Self.problem(board, release: release)
            if let problem { print("SKIPPED: \(board.device) on \(board.name), QEMU \(release): \(problem)") }
            return problem
        }
        problems[key] = task
        return await task.value == nil ? release.binary(board.architecture) : nil
    }

    private static func problem(_ board: ClockBoard, release: QEMUUnderTest) async -> String? {
        if let reason = board.broken[release] { return reason }
        guard let binary = release.binary(board.architecture) else {
            return "qemu-system-\(board.architecture) is not installed in \(release.folder)"
        }
        guard board.arguments.contains(where: { $0.hasPrefix("\(board.device),") }) else { return nil }
        // A device that this release may not know.
        guard let folder = try? TemporaryFolder(), let arguments = try? board.launchArguments(release, folder: folder)
        else {
            return "its guest is not there"
        }
        do {
            let machine = try await QtestMachine.launch(binary: binary, arguments: arguments)
            await machine.quit()
            return nil
        } catch {
            return "\(error)".contains("is not a valid device model name")
                ? "this QEMU has no device \(board.device)" : nil
        }
    }
}
