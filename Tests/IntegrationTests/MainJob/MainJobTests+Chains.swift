import ControlInstance
import FoundationEssentials
import HypervisorAPI
import Testing
import Time

extension MainJobTests {
    @Test(
        "After twenty-four checkpoints of running guests their disks have few layers, and each checkpoint is what it was",
        arguments: LabManifest.releases
    )
    func chains(_ release: QEMUUnderTest) async throws {
        try await Lab.with { lab in
            var spec = try LabManifest.load("pair", release)
            let bases = try ["qcow2", "raw"].map { format in
                let path = lab.folder.file("base.\(format)")
                _ = try Shell.output("qemu-img convert -O \(format) '\(LabManifest.cache)/linux/disk.qcow2' '\(path)'")
                return path
            }
            for index in spec.machines.indices {
                spec.machines[index].disks[0].file = bases[index]
                spec.machines[index].disks[0].format = index == 0 ? "qcow2" : "raw"
            }
            let untouched = try Shell.output("sha256sum \(bases.joined(separator: " "))")
            var pair = try await PairFlow(lab, spec)
            let chosen = [3, 17, 24]
            var contents: [Int: String] = [:]
            var digests: [Int: String] = [:]
            var depths: [Int] = []
            for number in 1...24 {
                let report = try await lab.checkpoint(spec.name, as: "c\(number)")
                try #require(report.outcome == .done, "c\(number): \(report.reasons)")
                depths.append(try await lab.chains(of: "c\(number)", spec.name).map(\.count).max() ?? 0)
                if chosen.contains(number) {
                    contents[number] = try await lab.diskContents(of: "c\(number)", spec.name)
                    digests[number] = try await lab.digests(of: "c\(number)", spec.name)
                }
            }
            print("\(spec.name), QEMU \(release): images below one another in twenty-four checkpoints: \(depths)")
            // On a host that is slow with it up to twice the limit, with the base and the layer of the checkpoint itself.
            #expect(depths.allSatisfy { $0 <= 35 })
            #expect(depths.contains { $0 > 16 } && depths.dropFirst(17).contains { $0 <= 4 }, "nothing was left out")
            try await pair.expectDisks("after all")
            for number in chosen {
                try await pair.goesBack(to: "c\(number)")
                #expect(try await lab.diskContents(of: "c\(number)", spec.name) == contents[number], "c\(number)")
                #expect(try await lab.digests(of: "c\(number)", spec.name) == digests[number], "c\(number)")
            }
            #expect(Set(contents.values).count == chosen.count, "the guests did not write between checkpoints")
            #expect(try Shell.output("sha256sum \(bases.joined(separator: " "))") == untouched)
        }
    }
}

extension Lab {
    private func disks(of checkpoint: String, _ simulation: String) async throws -> [String] {
        let shown = try await control.show(simulation, checkpoint)
        return shown.manifest.machines.flatMap(\.disks).map { "\(shown.folder)/\($0.file.path)" }
    }

    /// The files through which each disk of a checkpoint is read, as `qemu-img` finds them; the manifest has to say the same.
    fileprivate func chains(of checkpoint: String, _ simulation: String) async throws -> [[String]] {
        let recorded = try await control.show(simulation, checkpoint).manifest.machines.flatMap(\.disks)
        let chains = try await disks(of: checkpoint, simulation).map { disk in
            try Shell.output("qemu-img info -U --backing-chain '\(disk)' | sed -n 's/^image: //p'")
                .split(separator: "\n").map(String.init)
        }
        for (disk, chain) in zip(recorded, chains) { #expect(disk.backingFiles == Array(chain.dropFirst())) }
        return chains
    }

    /// Digests of what a guest would read from each disk.
    fileprivate func diskContents(of checkpoint: String, _ simulation: String) async throws -> String {
        let raw = folder.file("content.raw")
        return try await disks(of: checkpoint, simulation).map { disk in
            try Shell.output("qemu-img convert -U -O raw '\(disk)' '\(raw)' && sha256sum '\(raw)'")
        }.joined()
    }
}
