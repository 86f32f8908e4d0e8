import FoundationEssentials

/// Where batches are tested: `flab@base` is there, of one idle machine, and `flab` suspended to it.
enum BatchLab {
    static func with(_ body: @Sendable (FaultLab) async throws -> Void) async throws {
        try await FaultLab.with(FaultLab.Bed(ram: "file")) { lab in
            try await lab.done("up", try manifest(lab))
            try await lab.done("suspend", "\(FaultLab.name)@base", "--sealed")
            try await body(lab)
        }
    }

    static func manifest(_ lab: FaultLab) throws -> String {
        try lab.home.file(
            "lab.yaml",
            """
            simulation: \(FaultLab.name)
            machines:
              alpha: {qemu: \(lab.bed.qemu.path), machine: pc, memory: 32M, ram: file}

            """
        )
    }

    /// What simulations of a batch `night` have anywhere in the state folder, and their QEMUs.
    static func traces(_ lab: FaultLab) -> [String] {
        let all = (try? FileManager.default.subpathsOfDirectory(atPath: lab.home.path)) ?? []
        return all.filter { path in
            !path.hasPrefix("batches/") && path.split(separator: "/").contains { $0.hasPrefix("night-") }
        } + qemus(lab).map { "QEMU \($0)" }
    }

    private static func qemus(_ lab: FaultLab) -> [String] {
        let mark = Array("\(lab.home.path)/machines/night-".utf8)
        let processes = (try? FileManager.default.contentsOfDirectory(atPath: "/proc")) ?? []
        return processes.filter { process in
            guard Int(process) != nil, let line = FileManager.default.contents(atPath: "/proc/\(process)/cmdline")
            else {
                return false
            }
            return line.firstRange(of: mark) != nil
        }
    }
}
