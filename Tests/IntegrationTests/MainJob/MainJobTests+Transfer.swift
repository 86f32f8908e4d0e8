import Testing

extension MainJobTests {
    @Test(
        "Two guests with a session and disks go on in another state folder, with nothing left of the first",
        arguments: LabManifest.releases
    )
    func transfer(_ release: QEMUUnderTest) async throws {
        try await Lab.with { here in
            var pair = try await PairFlow(here, TransferFlow.own(LabManifest.load("pair", release), in: here.folder))
            try await Lab.with { there in try await pair.moves(to: there, named: "moved") }
        }
    }
}
