import Batch
import Console
import ControlInstance
import FoundationEssentials
import GuestClock
import Hypervisor
import HypervisorAPI
import NIOHTTP1
import SerialText
import Time

extension BatchCopy {
    /// - Parameter base: what was prepared.
    /// - Throws: when the step cannot be done.
    func perform(_ step: Step, from base: BatchCopy?) async throws -> StepEnd {
        switch step.action {
        case .up(let source, let change): try await up(source, change, base)
        case .waitForSerial(let port, let pattern):
            return try await wait(for: pattern, port, step.timeout ?? .seconds(60))
        case .waitForGuest(let port, let span): return try await wait(for: span, port, step.timeout ?? span + span)
        case .checkpoint(let checkpoint): try await save("checkpoint", checkpoint, .asap)
        case .suspend(let checkpoint, let instant): try await save("suspend", checkpoint, instant)
        case .resume(let checkpoint, let change, let instant):
            try await operate("\(path)/resume", instant) {
                try JSONText.encode(
                    OperationBody(
                        checkpoint: checkpoint,
                        when: Self.when(instant),
                        policy: change.policy,
                        scope: change.scope
                    )
                )
            }
        case .rewind(let checkpoint, let change, let keeping): try await rewind(checkpoint, change, keeping)
        case .execute(let words, let status): return try await execute(words, status, step.timeout ?? .seconds(60))
        case .expectClock(let port, let range): return try await expect(range, port)
        case .expectSerial(let port, let pattern, let isAbsent):
            return try await expect(pattern, isAbsent: isAbsent, port)
        case .send(let port, let text): try await console(port).send(text)
        case .down: _ = try await client.send(.POST, "\(path)/down")
        }
        return .passed
    }

    private func up(_ source: Source, _ change: StepAction.ClockChange, _ base: BatchCopy?) async throws {
        let origin: (simulation: String, checkpoint: String)
        switch source {
        case .lab(let path):
            guard var spec = file.labs[path] else {
                throw CommandFailure(.failed, code: "internal", "\(path) was not read before")
            }
            spec.name = name
            let request = UpRequest(spec: spec)
            try await operate("\(self.path)/up", .asap) { try JSONText.encode(request) }
            return
        case .checkpoint(let simulation, let checkpoint?): origin = (simulation, checkpoint)
        case .checkpoint(let simulation, nil):
            origin = (simulation, try await client.checkpoint(ofSuspended: simulation))
        case .prepared:
            guard let base, let checkpoint = await base.checkpoint else {
                throw CommandFailure(.failed, code: "internal", "nothing was prepared")
            }
            origin = (base.name, checkpoint)
        }
        let body = CloneBody(name: name, when: .asap, policy: change.policy, scope: change.scope)
        try await operate("/v1/simulations/\(origin.simulation)/checkpoints/\(origin.checkpoint)/clone", .asap) {
            try JSONText.encode(body)
        }
    }

    private func save(_ verb: String, _ checkpoint: String?, _ instant: StepAction.Instant) async throws {
        try await operate("\(path)/\(verb)", instant) {
            try JSONText.encode(OperationBody(checkpoint: checkpoint, when: Self.when(instant)))
        }
    }

    private func rewind(
        _ checkpoint: String,
        _ change: StepAction.ClockChange,
        _ keeping: StepAction.Keeping
    ) async throws {
        var body = OperationBody(
            checkpoint: checkpoint,
            when: .asap,
            policy: change.policy,
            scope: change.scope
        )
        switch keeping {
        case .nothing: body.discard = true
        case .checkpoint(let kept): body.keepAs = kept
        }
        let request = body
        try await operate("\(path)/rewind", .asap) { try JSONText.encode(request) }
    }

    private func wait(for pattern: String, _ port: Port, _ limit: Span) async throws -> StepEnd {
        let console = console(port)
        if let line = try await console.wait(for: pattern, limit) { return StepEnd(.passed, Visible.text(line)) }
        let last = await console.last
        let message =
            last.isEmpty
            ? "nothing at all came from \(port.machine) within \(limit)"
            : "/\(pattern)/ did not come from \(port.machine) within \(limit); what came last is below"
        return StepEnd(.failed, message, output: last.joined(separator: "\n"))
    }

    /// By QEMU's virtual clock, which stands still while the machine does.
    private func wait(for span: Span, _ port: Port, _ limit: Span) async throws -> StepEnd {
        let deadline = ContinuousClock.now + limit.duration
        let begin = try await uptime(port)
        while true {
            let passed = try await uptime(port) - begin
            if passed >= span { return StepEnd(.passed, "\(TimeText.span(passed)) have passed") }
            guard ContinuousClock.now < deadline else {
                return StepEnd(.failed, "only \(TimeText.span(passed)) have passed in \(port.machine) within \(limit)")
            }
            try await Task.sleep(for: min(max((span - passed).duration, .milliseconds(20)), .seconds(60)))
        }
    }

    private func uptime(_ port: Port) async throws -> Span {
        guard let nanoseconds = try await clock(port).virtualNs else {
            throw CommandFailure(
                .failed,
                code: "clocks-unreadable",
                "no clock of \(port.machine) tells how long it has run"
            )
        }
        return Span(nanoseconds: nanoseconds)
    }

    private func expect(_ range: ClosedRange<HostInstant>, _ port: Port) async throws -> StepEnd {
        guard let nanoseconds = try await clock(port).rtcNs else {
            throw CommandFailure(
                .failed,
                code: "clocks-unreadable",
                "\(port.machine) has no real-time clock that can be read"
            )
        }
        let reading = HostInstant(nanosecondsSinceEpoch: nanoseconds)
        if range.contains(reading) { return StepEnd(.passed, "it reads \(reading)") }
        return StepEnd(
            .failed,
            "the clock of \(port.machine) reads \(reading), and should read \(range.lowerBound) to \(range.upperBound)"
        )
    }

    private func clock(_ port: Port) async throws -> ClockState {
        let report = try await client.get(ClockReport.self, "\(path)/clocks").value
        guard let machine = report.machines.first(where: { $0.name == port.machine }) else {
            throw CommandFailure(.failed, code: "machine-not-found", "\(name) has no machine '\(port.machine)'")
        }
        return machine.clock
    }

    private func expect(_ pattern: String, isAbsent: Bool, _ port: Port) async throws -> StepEnd {
        let console = console(port)
        let line = try await console.contains(pattern)
        switch (line, isAbsent) {
        case (let line?, false): return StepEnd(.passed, Visible.text(line))
        case (nil, true): return .passed
        case (let line?, true): return StepEnd(.failed, "\(port.machine) has said '\(Visible.text(line))'")
        case (nil, false):
            return StepEnd(
                .failed,
                "/\(pattern)/ has not come from \(port.machine); what came last is below",
                output: await console.last.joined(separator: "\n")
            )
        }
    }

    private func execute(_ words: [String], _ status: Int, _ limit: Span) async throws -> StepEnd {
        let detail = try await client.get(SimulationDetail.self, path).value
        let host = try await session.ownHost(client)
        let environment = RunEnvironment(detail, session, host: host).variables
        // Of a simulation that this process runs beside itself, nothing.
        let run = await HookProcess.run(
            words,
            in: file.folder,
            timeout: limit,
            variables: environment,
            inherits: false
        )
        let output = [run.output, run.errors].filter { !$0.isEmpty }.joined(separator: "\n")
        let message: String
        switch run.end {
        case .exited where run.status == Int32(status): return StepEnd(.passed, nil, output: output)
        case .exited: message = "it ended with \(run.status ?? -1), and should end with \(status)"
        case .signal: message = "it was ended by signal \(run.status ?? -1)"
        case .timeout: message = "it did not end within \(limit), and was ended"
        case .cancelled: message = "it was called off"
        case .notStarted: return StepEnd(.error, run.errors)
        }
        return StepEnd(.failed, message, output: output)
    }

    private static func when(_ instant: StepAction.Instant) -> When {
        switch instant {
        case .asap: .asap
        case .at(let instant): .at(instant)
        case .in(let span): .in(span)
        }
    }
}
