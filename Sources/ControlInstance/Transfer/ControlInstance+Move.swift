import GuestClock
import HostClock
import HypervisorAPI
import Time

/// Machines of a checkpoint that go to other hosts.
extension ControlInstance {
    /// Makes a checkpoint beside an old one of which machines lie on other hosts; the old one becomes its parent. Where all lie as is wished
    /// already, it is that one.
    /// - Throws: when machines, hosts or the checkpoint are not there, a host cannot run what would come to it, or something fails on the
    ///   way; nothing is left of the new one then.
    public func move(_ request: MoveRequest) async throws(ControlError) -> CheckpointDetail {
        try Self.check(binaries: request.binaries)
        return try await claiming(request.simulation, for: "move") { () throws(ControlError) in
            let record = try await checkpointRecord(request.checkpoint, of: request.simulation)
            let source = place(of: record)
            try begin(.exported, source)
            defer { end(.exported, source) }
            var old = try checkpointSet.load(source)
            try refuseConsumed(old, at: source)
            let hosts = try places(of: old, request.hosts)
            guard hosts != old.hosts else { return try await show(request.simulation, request.checkpoint) }
            let name = try await newCheckpointName(request.newCheckpoint, of: request.simulation)
            let place = checkpointSet.place(of: name, simulation: request.simulation)
            try begin(.imported, place)
            defer { endTaking(place) }
            try await sealed(source)
            old = try checkpointSet.load(source)
            var traces = ArrivalTraces()
            var notes: [String] = []
            do throws(ControlError) {
                var manifest = try await moved(old, from: source, to: place, hosts, request, &traces, &notes)
                let now = clock.now()
                manifest.id = sortableID(at: now)
                manifest.name = name
                manifest.created = now
                manifest.operation = OperationID.new(at: now)
                manifest.tool = CheckpointSet.tool
                manifest.format = CheckpointManifest.currentFormat
                manifest.parent = CheckpointManifest.Parent(id: record.id, name: record.name)
                try checkpointSet.publish(manifest, at: place)
                try await settle(place, on: manifest.otherHosts(than: ownHost), &traces)
                try await writing(StoreChange(checkpoints: [CheckpointRecord(manifest)]))
            } catch {
                try? checkpointSet.unpublish(place)
                await withdraw(place, traces)
                checkpointSet.abandon(place)
                throw error
            }
            sealLater(place)
            var detail = try await show(request.simulation, name)
            detail.notes = notes.isEmpty ? nil : notes
            return detail
        }
    }

    /// A daemon that is killed knows no more what was on its way to hosts that have nothing of it yet: the next one reads it.
    private func note(_ place: CheckpointSet.Place, in scratch: String) throws(ControlError) {
        try DurableFolder.write(Array("\(place.simulation)\n\(place.name)".utf8), to: "\(scratch)/\(Self.moving)")
    }

    /// What was to be made of what is in a folder of an earlier daemon; nil: nothing on other hosts.
    func moved(by scratch: String) -> CheckpointSet.Place? {
        guard let bytes = try? DurableFolder.read("\(scratch)/\(Self.moving)", limit: 1024) else { return nil }
        let names = String(decoding: bytes, as: UTF8.self).split(separator: "\n").map(String.init)
        guard names.count == 2, names.allSatisfy(Name.isValid) else { return nil }
        return checkpointSet.place(of: names[1], simulation: names[0])
    }

    private static let moving = "moving"

    /// Where each machine shall be.
    /// - Throws: every reason why it cannot be there, as far as that is known here (exit code 3).
    private func places(
        of manifest: CheckpointManifest,
        _ wanted: [String: String]
    ) throws(ControlError) -> [String: String] {
        let hosts = manifest.hosts.merging(wanted) { $1 }
        var reasons = strangers(in: wanted, among: manifest.machines.map(\.name))
        for machine in manifest.machines where hosts[machine.name] != machine.host {
            reasons += [obstacle(toPlacing: machine.name, on: hosts[machine.name] ?? ownHost)].compactMap(\.self)
        }
        reasons += linkObstacles(manifest.spec, hosts)
        guard reasons.isEmpty else { throw ControlError(reasons, exitCode: 3) }
        return hosts
    }

    /// Has every host make its part of the new one.
    private func moved(
        _ old: CheckpointManifest,
        from source: CheckpointSet.Place,
        to place: CheckpointSet.Place,
        _ hosts: [String: String],
        _ request: MoveRequest,
        _ traces: inout ArrivalTraces,
        _ notes: inout [String]
    ) async throws(ControlError) -> CheckpointManifest {
        let parts = try stored(old, at: source.final)
        let scratch = ExportScratch(path: "\(exportsFolder)/\(sortableID(at: clock.now()))")
        try scratch.create()
        try note(place, in: scratch.path)
        defer {
            // Of all that leaves it together: a removal must not meet what is made for the next part.
            for (sender, part) in parts
            where sender.host != ownHost && part.machines.contains(where: { hosts[$0.name] != sender.host }) {
                removeScratch(scratch.path, on: sender)
            }
        }
        // What comes before what stays: nothing comes any more to where something is made.
        var arrived: [String: StoredCheckpoint] = [:]
        for (sender, part) in parts {
            for host in Set(part.machines.compactMap { hosts[$0.name] }).subtracting([sender.host]).sorted() {
                guard let receiver = hypervisor(of: host) else { continue }
                let leaving = part.only { hosts[$0] == host }
                let came = try await bring(
                    leaving,
                    from: sender,
                    to: receiver,
                    as: place,
                    scratch.path,
                    &traces,
                    &notes
                )
                arrived[host, default: StoredCheckpoint(folder: came.folder, machines: [], links: [])].add(came)
            }
        }
        var machines: [MachineCheckpoint] = []
        var staying: Set<String> = []
        for (hypervisor, part) in parts {
            let host = hypervisor.host
            let rest = part.only { hosts[$0] == host }
            guard !rest.machines.isEmpty else { continue }
            staying.insert(host)
            let order = ClockEditOrder(source: rest, folder: place.partial, policy: nil, scope: .rtc)
            machines += try await making(place.partial, on: host, &traces) { () throws(ControlError) in
                try await wait(for: hypervisor) { hypervisor throws(HypervisorError) in
                    try await hypervisor.editClocks(order)
                }
            }
        }
        var manifest = old
        for (host, part) in arrived.sorted(by: { $0.key < $1.key }) {
            guard let hypervisor = hypervisor(of: host) else { continue }
            let arrival = try await fitted(
                part,
                on: hypervisor,
                at: place,
                of: old.spec,
                binaries: request.binaries,
                joins: staying.contains(host),
                &traces
            )
            // It was to go on there, and cannot.
            guard arrival.obstacles.isEmpty else { throw ControlError(arrival.obstacles) }
            for var machine in arrival.machines {
                machine.launch.spec.host = host == ownHost ? nil : host
                if let index = manifest.spec.machines.firstIndex(where: { $0.name == machine.name }) {
                    manifest.spec.machines[index] = machine.launch.spec
                }
                machines.append(machine)
            }
        }
        manifest.machines = old.machines.compactMap { old in machines.first { $0.name == old.name } }
        guard manifest.machines.count == old.machines.count else {
            throw ControlError(
                code: "report-incomplete",
                message: "not every machine of \(source.simulation)@\(source.name) was written"
            )
        }
        return manifest
    }

    /// Makes a part of a checkpoint stand alone and brings it to another host.
    /// - Returns: what came, and where it is.
    private func bring(
        _ part: StoredCheckpoint,
        from sender: any Hypervisor,
        to receiver: any Hypervisor,
        as place: CheckpointSet.Place,
        _ scratch: String,
        _ traces: inout ArrivalTraces,
        _ notes: inout [String]
    ) async throws(ControlError) -> StoredCheckpoint {
        let order = DepartureOrder(checkpoint: part, scratch: scratch, gathers: sender.host != ownHost)
        let alone = try await wait(for: sender) { sender throws(HypervisorError) in
            try await sender.makeStandalone(order)
        }
        let leaving = StoredCheckpoint(folder: part.folder, machines: alone.machines, links: part.links)
        let isOwn = [sender, receiver].contains { $0.host == ownHost }
        var way = isOwn ? nil : DirectWay(from: sender, to: receiver, alone.sources.values)
        defer {
            if let way {
                notes += [way.note].compactMap(\.self)
                end(way)
            }
        }
        return try await send(leaving, from: sender, alone.sources, to: receiver, as: place, &traces, by: &way)
    }
}

extension StoredCheckpoint {
    /// Some of its machines, with what was on its way to them.
    fileprivate func only(_ isWanted: (String) -> Bool) -> StoredCheckpoint {
        StoredCheckpoint(
            folder: folder,
            machines: machines.filter { isWanted($0.name) },
            links: links.filter { isWanted($0.towards) }
        )
    }

    fileprivate mutating func add(_ other: StoredCheckpoint) {
        machines += other.machines
        links += other.links
    }
}
