import Testing

/// What scripts rely on: the names and values of every verb's answer with `--json`, from real QEMU.
@Suite(.serialized) struct ContractTests {
    @Test(arguments: FaultLab.QEMU.present)
    func `each verb of a simulation's life answers as the contract says`(_ qemu: FaultLab.QEMU) async throws {
        try await FaultLab.with(qemu) { lab in
            let round = ContractRound(lab)
            try await round.starts()
            try await round.readsClocks()
            let suspended = try await round.suspends()
            try await round.tells(of: suspended)
            try await round.editsClocks(of: suspended)
            try await round.resumes(suspended)
            try await round.ends()
            try await round.adopts()
            try await round.examines()
        }
    }
}
