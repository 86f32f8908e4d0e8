import ControlInstance
import GuestClock
import HypervisorAPI
import JSON
import QMP
import Testing
import Time

extension MainJobTests {
    @Test(
        "Two clones and the original run at once, each with a session, disks and a link of its own",
        arguments: LabManifest.releases
    )
    func clone(_ release: QEMUUnderTest) async throws {
        try await Lab.with { lab in
            var pair = try await PairFlow(lab, LabManifest.load("pair", release))
            try await pair.continues()
            let digests = try await lab.digests(of: "s1", "pair")
            // From where it was suspended, while it runs on.
            let reports = try await lab.clone("pair", "s1", as: "twin", count: 2)
            try #require(reports.map(\.outcome) == [.done, .done], "\(reports.flatMap(\.reasons))")
            #expect(reports.allSatisfy { $0.notes.contains { $0.contains("client") && $0.contains("random state") } })
            #expect(lab.processes().count == 6)
            var twins: [PairFlow] = []
            for name in ["twin-1", "twin-2"] { twins.append(try await PairFlow(pair, as: name)) }
            try await eachAnswersWithinItsOwn([pair] + twins)
            try await eachHasItsOwnCards(lab, ["pair", "twin-1", "twin-2"])

            // A clone is a simulation as any other, and the original is not asked.
            let processes = try await lab.machines(of: "pair").mapValues(\.processID)
            try await twins[0].jumps("twin", as: "t1", .offset(.seconds(3600)), rtc: .seconds(3600))
            let parent = try await lab.control.show("twin-1", "t1").manifest.parent
            #expect(parent?.simulation == "pair" && parent?.name == "s1")
            try await eachAnswersWithinItsOwn([pair] + twins)

            // Its frozen disks lie on the original's.
            _ = try await lab.suspend("twin-1", as: "t2")
            for (simulation, checkpoint) in [("pair", "s1"), ("twin-1", "t1")] {
                let error = await #expect(throws: ControlError.self) {
                    try await lab.control.remove(simulation, checkpoint)
                }
                #expect(error?.reasons.allSatisfy { $0.code == "checkpoint-in-use" } == true, "\(error as Any)")
                #expect(error?.description.contains("twin") == true)
            }
            #expect(try await lab.machines(of: "pair").mapValues(\.processID) == processes)
            _ = try await lab.control.down("pair")
            try await eachAnswersWithinItsOwn([twins[1]])
            try #require(try await lab.resume("twin-1").outcome == .done)
            try #require(try await lab.resume("pair", "s1").outcome == .done)
            #expect(try await lab.digests(of: "s1", "pair") == digests)
            #expect(try await lab.control.verify("pair", "s1").exitCode == 0)
        }
    }

    @Test("A clone's generation is another than the original's", arguments: LabManifest.releases)
    func cloneGeneration(_ release: QEMUUnderTest) async throws {
        try await Lab.with { lab in
            var spec = try LabManifest.bare(release)
            let identifier = "324e6eaf-d1d1-4bf6-bf41-b9bb6c91fb87"
            // In the machine's own run folder, where QEMU works: each clone has one of its own.
            let monitor = ["-qmp", "unix:hand.sock,server=on,wait=off"]
            spec.machines[0].arguments = ["-device", "vmgenid,guid=\(identifier)"] + monitor
            try #require(try await lab.up(spec).outcome == .done)
            try #require(try await lab.suspend("bare").outcome == .done)
            let clones = try await lab.clone("bare", "s1", as: "copy", count: 2)
            try #require(clones.map(\.outcome) == [.done, .done], "\(clones.flatMap(\.reasons))")
            for clone in clones { #expect(!clone.notes.contains { $0.contains("random state") }, "\(clone.notes)") }
            try #require(try await lab.resume("bare").outcome == .done)
            var generations: [String] = []
            for simulation in ["bare", "copy-1", "copy-2"] {
                generations.append(try await generation(of: lab.machines(of: simulation)["pc"]))
            }
            #expect(generations[0].contains(identifier), "\(generations)")
            #expect(Set(generations).count == 3, "\(generations)")

            // Of clones that left nothing behind nothing is kept, and of the others nothing is taken.
            for simulation in ["copy-1", "copy-2"] { _ = try await lab.control.down(simulation) }
            let garbage = try await lab.control.collectGarbage(GarbageRequest())
            #expect(garbage.items.filter { $0.kind == .simulation }.map(\.name) == ["copy-1", "copy-2"])
            #expect(garbage.items.contains { $0.name == lab.folder.file("logs/copy-1") }, "\(garbage.items)")
            let left = try Shell.output("ls '\(lab.folder.path)'/logs '\(lab.folder.path)'/machines")
            #expect(left.contains("bare") && !left.contains("copy"), "\(left)")
            #expect(lab.processes().count == 1)
        }
    }

    private func generation(of machine: MachineStatus?) async throws -> String {
        let monitor = try #require(machine?.monitor).replacing("/qmp.sock", with: "/hand.sock")
        let hand = try await QMPConnection.connect(to: QMPAddress(parsing: monitor))
        let answer = try await hand.execute(QMPCommand("query-vm-generation-id"))
        await hand.close()
        return try #require(answer["guid"]?.stringValue)
    }

    private func eachAnswersWithinItsOwn(_ flows: [PairFlow]) async throws {
        // Each answers its own tag while the others run, and lines flow in each without a gap or a new connection.
        for flow in flows {
            let samples = try await flow.samples("own-\(flow.spec.name)")
            try await flow.expectSession("among-\(flows.count)", since: samples["client"])
            try await flow.expectDisks("among-\(flows.count)")
        }
    }

    /// The same address in each, as the guests know it, and no socket or image that two write.
    private func eachHasItsOwnCards(_ lab: Lab, _ simulations: [String]) async throws {
        var addresses: [Set<String>] = []
        var files: [String] = []
        for simulation in simulations {
            var own: Set<String> = []
            for machine in try await lab.machines(of: simulation).values {
                let process = try #require(machine.processID)
                let line = String(decoding: try TemporaryFolder.contents(of: "/proc/\(process)/cmdline"), as: UTF8.self)
                own.formUnion(line.split(separator: ",").filter { $0.hasPrefix("mac=") }.map(String.init))
                let open = try Shell.output("readlink /proc/\(process)/fd/* || true").split(separator: "\n")
                files += open.filter { $0.hasPrefix("\(lab.folder.path)/machines") }.map(String.init)
                files += machine.serialSockets
            }
            addresses.append(own)
        }
        #expect(Set(addresses).count == 1 && addresses[0].count == 2, "\(addresses)")
        for file in files {
            #expect(simulations.filter { file.contains("/machines/\($0)/") }.count == 1, "\(file)")
        }
    }
}
