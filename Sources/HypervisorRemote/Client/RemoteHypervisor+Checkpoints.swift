public import HypervisorAPI

extension RemoteHypervisor {
    public func obstacles(to order: ResumeOrder) async throws(HypervisorError) -> [Reason] {
        try await connection.call(.obstacles, try order.mapping(folders.relative), patience: Self.longPatience)
    }

    public func verify(_ checkpoint: StoredCheckpoint) async throws(HypervisorError) -> [Reason] {
        try await connection.call(.verify, try checkpoint.mapping(folders.relative), patience: Self.longPatience)
    }

    public func lost(_ checkpoint: StoredCheckpoint) async throws(HypervisorError) -> [Reason] {
        try await connection.call(.lost, try checkpoint.mapping(folders.relative), patience: Self.shortPatience)
    }

    public func seal(_ checkpoint: StoredCheckpoint) async throws(HypervisorError) -> [CheckpointFile] {
        try await connection.call(.seal, try checkpoint.mapping(folders.relative), patience: Self.longPatience)
    }

    public func editClocks(_ order: ClockEditOrder) async throws(HypervisorError) -> [MachineCheckpoint] {
        try await connection.call(.editClocks, try order.mapping(folders.relative), patience: Self.longPatience)
    }

    public func moveCheckpoint(folder: String, to final: String) async throws(HypervisorError) {
        let move = Move(folder: try folders.relative(folder), final: try folders.relative(final))
        _ = try await connection.call(.moveCheckpoint, move, patience: Self.shortPatience)
    }

    public func removeCheckpoint(folder: String) async throws(HypervisorError) {
        _ = try await connection.call(
            .removeCheckpoint,
            try folders.relative(folder, of: [.checkpoint, .export, .arrival]),
            patience: Self.longPatience
        )
    }

    public func makeStandalone(_ order: DepartureOrder) async throws(HypervisorError) -> StandaloneCheckpoint {
        let there = try order.mapping(folders.relative) { folder throws(HypervisorError) in
            try folders.relative(folder, of: [.export])
        }
        let alone = try await connection.call(.makeStandalone, there, patience: Self.longPatience)
        return try alone.mapping { folder throws(HypervisorError) in
            try folders.absolute(folder, of: [.checkpoint, .export])
        }
    }

    public func read(_ file: FilePlace, from offset: UInt64) async throws(HypervisorError) -> FilePiece {
        try await connection.piece(try folders.relative(file, of: [.checkpoint, .export]), from: offset)
    }

    public func write(_ piece: FilePiece, to file: FilePlace) async throws(HypervisorError) {
        try await connection.put(piece, to: try folders.relative(file, of: [.arrival]))
    }

    public func fit(_ order: ArrivalOrder) async throws(HypervisorError) -> Arrival {
        let there = try order.mapping(folders.relative) { folder throws(HypervisorError) in
            try folders.relative(folder, of: [.arrival])
        }
        return try await connection.call(.fit, there, patience: Self.longPatience)
    }
}
