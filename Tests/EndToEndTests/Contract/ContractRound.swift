import Glibc
import JSON
import Testing

/// One life of a simulation by the `fermata` program, verb by verb; each answer is held against the outside contract.
struct ContractRound {
    let lab: FaultLab
    private static let hour: Int64 = 3_600_000_000_000

    init(_ lab: FaultLab) { self.lab = lab }

    // MARK: - Verbs

    func starts() async throws {
        let machines = FaultLab.machines.map { name in
            "  \(name): {qemu: \(lab.bed.qemu.path), machine: pc, memory: 32M, "
                + "args: [-qmp, \"unix:\(lab.probe(name)),server=on,wait=off\"]}\n"
        }
        let manifest = try lab.home.file(
            "lab.yaml",
            "simulation: \(FaultLab.name)\nmachines:\n\(machines.joined())"
                + "links:\n  - {name: lan, between: [\(FaultLab.machines.joined(separator: ", "))]}\n"
        )
        let answer = try await lab.done("up", manifest)
        expect(answer, .started)
        expectEvents(answer)
        expectStamps(answer, "resumedAtNs")
        let ps = try await lab.done("ps").result
        expect(
            ps,
            .members([
                "simulations": .list(
                    .members([
                        "simulation": .word(FaultLab.name), "state": .word("running"), "machines": .list(.text),
                        "createdNs": .instant,
                    ])
                )
            ]),
            "ps"
        )
        #expect(ps["simulations"]?[0]?["machines"]?.arrayValue?.compactMap(\.stringValue) == FaultLab.machines)
        let show = try await lab.done("show", FaultLab.name).result
        expect(
            show,
            .members([
                "simulation": .word(FaultLab.name), "state": .word("running"), "machines": .list(.machine),
                "spec": .anything, "problems": .list(.anything), "createdNs": .instant,
            ]),
            "show"
        )
    }

    func readsClocks() async throws {
        let live = try await lab.done("clock", FaultLab.name).result
        expect(live, .clocks, "clock")
        let peeked = try await lab.done("clock", FaultLab.name, "--no-pause").result
        expect(peeked, .clocks, "clock --no-pause")
        let names = FaultLab.machines
        for report in [live, peeked] {
            #expect(report["machines"]?.arrayValue?.compactMap { $0["name"]?.stringValue }.sorted() == names)
        }
        for (name, machine) in machines(of: live) {
            #expect(machine["pauseNs"]?.int64Value ?? 0 > 0)
            #expect(machine["clock"]?["virtualNs"]?.int64Value ?? 0 > 0)
            let peek = try #require(machines(of: peeked)[name])
            #expect(peek["pauseNs"]?.int64Value == 0)
            // The same clock a moment later: without the pause QEMU tells whole seconds.
            let passed = try int(peek["clock"]?["rtcNs"]) - int(machine["clock"]?["rtcNs"])
            let apart = try int(peek["readAtNs"]) - int(machine["readAtNs"])
            #expect(passed > -1_000_000_000 && passed <= apart + 100_000_000, "\(name)")
        }
    }

    /// - Returns: the result.
    func suspends() async throws -> JSONValue {
        let before = now()
        let answer = try await lab.done("suspend", FaultLab.name, "--in", "1s")
        expect(answer, .suspended)
        expectEvents(answer)
        expectStamps(answer, "stoppedAtNs")
        let result = answer.result
        #expect(try int(result["deadlineNs"]) >= before + 1_000_000_000)
        #expect(result["checkpoint"]?.stringValue == "s1")
        for (name, machine) in machines(of: result) {
            #expect(["file", "stream", "mapped"].contains(machine["ram"]?["way"]?.stringValue), "\(name)")
            #expect(machine["ram"]?["bytes"]?.int64Value ?? 0 > 0, "\(name)")
            #expect(machine["clock"]?["atNs"] == machine["stoppedAtNs"], "\(name)")
            let stages = Set(machine["stages"]?.arrayValue?.compactMap { $0["name"]?.stringValue } ?? [])
            #expect(stages.isSuperset(of: ["stop", "save", "digest"]), "\(name): \(stages)")
        }
        #expect(lab.qemus().isEmpty)
        return result
    }

    /// The checkpoint that came of it, by every verb that tells of one.
    func tells(of suspended: JSONValue) async throws {
        let log = try await lab.done("log", FaultLab.name).result
        expect(log, .members(["simulation": .word(FaultLab.name), "checkpoints": .list(.summary)]), "log")
        #expect(log["checkpoints"]?.arrayValue?.count == 1)
        #expect(log["checkpoints"]?[0]?["checkpoint"]?.stringValue == "s1")
        #expect(log["checkpoints"]?[0]?["instantNs"] == suspended["deadlineNs"])
        #expect(log["checkpoints"]?[0]?["current"]?.boolValue == true)

        let name = "\(FaultLab.name)@s1"
        let shown = try await lab.done("show", name).result
        expect(shown, .checkpoint, "show")
        let clocks = try await lab.done("clock", name).result
        expect(clocks, .clocks, "clock")
        #expect(clocks["checkpoint"]?.stringValue == "s1")
        for (machine, was) in machines(of: suspended) {
            #expect(machines(of: shown["manifest"])[machine]?["clock"] == was["clock"], "\(machine)")
            #expect(machines(of: clocks)[machine]?["clock"] == was["clock"], "\(machine)")
            #expect(machines(of: clocks)[machine]?["readAtNs"] == was["stoppedAtNs"], "\(machine)")
            let path = try #require(machines(of: shown["manifest"])[machine]?["state"]?["path"]?.stringValue)
            try await inspects("\(shown["folder"]?.stringValue ?? "")/\(path)", was)
        }
        let verified = try await lab.done("verify", name).result
        expect(
            verified,
            .members([
                "simulation": .word(FaultLab.name), "checkpoint": .word("s1"), "ok": .truth, "exitCode": .count,
                "reasons": .list(.anything),
            ]),
            "verify"
        )
        #expect(verified["ok"]?.boolValue == true && verified["exitCode"]?.int64Value == 0)
    }

    private func inspects(_ file: String, _ machine: JSONValue) async throws {
        let inspected = try await lab.done("inspect", file).result
        expect(inspected, .inspection, "inspect")
        #expect(inspected["machineType"]?.stringValue == "pc-i440fx-\(lab.bed.qemu.rawValue)")
        let mapped = machine["ram"]?["way"]?.stringValue == "mapped"
        #expect(inspected["format"]?.stringValue == (mapped ? "mapped-ram" : "classic"))
        let clocks = inspected["clocks"]?.arrayValue ?? []
        func reads(_ device: String) throws -> Int64 {
            try int(clocks.first { $0["device"]?.stringValue == device }?["readsNs"])
        }
        #expect(try reads("timer") == int(machine["clock"]?["virtualNs"]))
        // The file alone tells whole seconds of it.
        #expect(try abs(reads("mc146818rtc") - int(machine["clock"]?["rtcNs"])) <= 1_000_000_000)
    }

    func editsClocks(of suspended: JSONValue) async throws {
        let edited = try await lab.done("clock", "\(FaultLab.name)@s1", "--clock", "+1h", "--as", "later").result
        expect(edited, .checkpoint, "clock --clock")
        #expect(edited["summary"]?["checkpoint"]?.stringValue == "later")
        #expect(edited["summary"]?["parent"]?.stringValue == "s1")
        for (name, was) in machines(of: suspended) {
            let clock = machines(of: edited["manifest"])[name]?["clock"]
            #expect(try int(clock?["rtcNs"]) == int(was["clock"]?["rtcNs"]) + Self.hour, "\(name)")
            #expect(clock?["virtualNs"] == was["clock"]?["virtualNs"], "\(name)")
        }
    }

    func resumes(_ suspended: JSONValue) async throws {
        let answer = try await lab.done("resume", "\(FaultLab.name)@later", "--clock", "-5m")
        expect(answer, .resumed)
        expectEvents(answer)
        expectStamps(answer, "resumedAtNs")
        let result = answer.result
        #expect(result["checkpoint"]?.stringValue == "later")
        #expect(result["policy"]?.stringValue == "-5m" && result["scope"]?.stringValue == "rtc")
        for (name, was) in machines(of: suspended) {
            let machine = try #require(machines(of: result)[name])
            let (before, after) = (machine["clockBefore"], machine["clockAfter"])
            #expect(try int(before?["rtcNs"]) == int(was["clock"]?["rtcNs"]) + Self.hour, "\(name)")
            #expect(try int(after?["rtcNs"]) == int(before?["rtcNs"]) - 300_000_000_000, "\(name)")
            #expect(after?["virtualNs"] == before?["virtualNs"], "\(name)")
            #expect(after?["atNs"] == machine["resumedAtNs"] && machine["clock"] == after, "\(name)")
            #expect(machine["ram"]?["way"] == was["ram"]?["way"], "\(name)")
            let stages = Set(machine["stages"]?.arrayValue?.compactMap { $0["name"]?.stringValue } ?? [])
            #expect(stages.isSuperset(of: ["launch", "load", "cont"]), "\(name): \(stages)")
        }
        #expect(try await lab.runStates() == ["alpha": "running", "beta": "running"])
    }

    func ends() async throws {
        let down = try await lab.done("down", FaultLab.name).result
        expect(
            down,
            .members(["simulation": .word(FaultLab.name), "before": .word("running"), "machines": .list(.text)]),
            "down"
        )
        #expect(down["machines"]?.arrayValue?.compactMap(\.stringValue).sorted() == FaultLab.machines)
        #expect(lab.qemus().isEmpty)
        let removed = try await lab.done("rm", "\(FaultLab.name)@later").result
        #expect(removed["removed"]?.arrayValue?.compactMap(\.stringValue) == ["\(FaultLab.name)@later"])
        #expect(lab.checkpoints == ["s1"])
    }

    func adopts() async throws {
        let monitor = "\(lab.home.folder)/lone.qmp"
        let lone = try await LoneQEMU(lab.bed.qemu, monitor: monitor)
        let adopted = try await lab.done("adopt", "other", "lone", monitor).result
        expect(adopted, .machine, "adopt")
        #expect(adopted["adopted"]?.boolValue == true && adopted["state"]?.stringValue == "running")
        #expect(adopted["processID"]?.int64Value == Int64(lone.process))
        #expect(adopted["simulation"]?.stringValue == "other" && adopted["name"]?.stringValue == "lone")
        let down = try await lab.done("down", "other").result
        #expect(down["machines"]?.arrayValue?.compactMap(\.stringValue) == ["lone"])
        #expect(lone.lives, "an adopted machine is let go, not ended")
        #expect(try MonitorProbe(path: monitor).ask("query-status")["return"]?["status"]?.stringValue == "running")
    }

    /// It ends with 1 where it finds a problem of the host.
    func examines() async throws {
        let doctor = try await lab.fermata("doctor")
        expect(doctor.result, .doctor, "doctor")
        let hosts = doctor.result["hosts"]?.arrayValue ?? []
        #expect(hosts.count == 1)
        let findings = ([doctor.result] + hosts).flatMap { $0["findings"]?.arrayValue ?? [] }
        #expect(doctor.status == (findings.contains { $0["level"]?.stringValue == "problem" } ? 1 : 0), "\(doctor)")
    }

    // MARK: - Parts of answers

    private func expect(_ answer: FaultLab.Answer, _ shape: Shape) { expect(answer.result, shape, "the result") }

    private func expect(_ value: JSONValue, _ shape: Shape, _ what: String) {
        let problems = shape.problems(of: value)
        #expect(problems.isEmpty, "\(what): \(problems.joined(separator: "; "))")
    }

    /// While it runs there are lines of phases and stages, all of one operation, and the result comes once, last.
    private func expectEvents(_ answer: FaultLab.Answer) {
        let lines = answer.run.outputLines.map { try? JSONValue(parsing: $0) }
        #expect(lines.map { $0?["event"]?.stringValue }.firstIndex(of: "result") == lines.count - 1)
        var phases: [String?] = []
        for line in lines.dropLast() {
            if line?["event"]?.stringValue == "phase" {
                phases.append(line?["phase"]?.stringValue)
                #expect(line?["operation"] == answer.result["operation"])
            } else {
                expect(line ?? .null, .stage, "an event")
                #expect(line?["event"]?.stringValue == "stage")
            }
        }
        #expect(phases == ["preparing", "prepared", "armed", "happened", "deciding", "finished"])
    }

    /// Stamps, lateness and spread belong together.
    private func expectStamps(_ answer: FaultLab.Answer, _ key: String) {
        let stamps = machines(of: answer.result).values.compactMap { $0[key]?.int64Value }
        let deadline = answer.result["deadlineNs"]?.int64Value ?? 0
        #expect(stamps.count == FaultLab.machines.count)
        for machine in machines(of: answer.result).values {
            #expect(machine["latenessNs"]?.int64Value == (machine[key]?.int64Value ?? 0) - deadline)
        }
        #expect(answer.result["spreadNs"]?.int64Value == (stamps.max() ?? 0) - (stamps.min() ?? 0))
        let bound = answer.result["clockErrorBoundNs"]
        #expect(bound == .null || bound?.int64Value ?? -1 >= 0, "\(String(describing: bound))")
        #expect(answer.result["exitCode"]?.int64Value == 0)
        #expect(answer.result["reasons"]?.arrayValue?.isEmpty == true)
    }

    private func machines(of report: JSONValue?) -> [String: JSONValue] {
        let machines = report?["machines"]?.arrayValue ?? []
        return Dictionary(machines.map { ($0["name"]?.stringValue ?? "", $0) }) { first, _ in first }
    }

    private func int(_ value: JSONValue?) throws -> Int64 { try #require(value?.int64Value) }

    private func now() -> Int64 {
        var time = timespec()
        clock_gettime(CLOCK_REALTIME, &time)
        return Int64(time.tv_sec) * 1_000_000_000 + Int64(time.tv_nsec)
    }
}
