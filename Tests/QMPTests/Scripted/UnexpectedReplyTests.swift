import JSON
import QMP
import Testing

/// Replies of the right protocol and the wrong shape.
@Suite struct UnexpectedReplyTests {
    @Test(
        arguments: [
            (1, "return.status"), ([:], "return.status"), (["status": 5, "running": true], "return.status"),
            (["status": "running", "running": "yes"], "return.running"), ([], "return.status"),
        ] as [(JSONValue, String)]
    )
    func `a reply without what it must have names the place`(reply: JSONValue, place: String) async throws {
        let monitor = try ScriptedMonitor { peer in
            peer.negotiate()
            while let message = peer.receive() { peer.reply(to: message, reply) }
        }
        let connection = try await monitor.connect()
        let error = await failure { try await connection.queryStatus() }
        guard case .unexpectedReply(let text)? = error?.code else {
            Issue.record("\(String(describing: error))")
            return
        }
        #expect(text.contains(place))
        #expect(error?.command == "query-status")
        #expect(error?.address == monitor.address)
    }

    @Test func `every typed query refuses a reply that is no more than an array of nonsense`() async throws {
        let monitor = try ScriptedMonitor { peer in
            peer.negotiate()
            while let message = peer.receive() { peer.reply(to: message, [["name": 1, "inserted": 2]]) }
        }
        let connection = try await monitor.connect()
        let queries: [(String, () async throws -> Any)] = [
            ("query-version", { try await connection.queryVersion() }),
            ("query-uuid", { try await connection.queryUUID() }),
            ("query-kvm", { try await connection.queryKVM() }),
            ("query-cpus-fast", { try await connection.queryCPUs() }),
            ("query-machines", { try await connection.queryMachines() }),
            ("query-migrate", { try await connection.queryMigrate() }),
            ("query-migrate-capabilities", { try await connection.queryMigrateCapabilities() }),
            ("query-migrate-parameters", { try await connection.queryMigrateParameters() }),
            ("query-block", { try await connection.queryBlock() }),
            ("query-named-block-nodes", { try await connection.queryNamedBlockNodes() }),
            ("query-chardev", { try await connection.queryChardev() }),
            ("query-rx-filter", { try await connection.queryRXFilter() }),
            ("query-commands", { try await connection.queryCommands() }),
            ("query-command-line-options", { try await connection.queryCommandLineOptions() }),
            ("qom-list", { try await connection.qomList("/") }), ("qom-get", { try await connection.rtcTime() }),
            ("qom-get", { try await connection.machineType() }),
            ("human-monitor-command", { try await connection.humanMonitor("x") }),
            ("query-fdsets", { try await connection.queryFDSets() }),
            ("add-fd", { try await connection.addfd(set: 1, descriptor: 0) }),
        ]
        for (name, query) in queries {
            let error = await failure(of: query)
            guard case .unexpectedReply? = error?.code else {
                Issue.record("\(name): \(String(describing: error))")
                continue
            }
            #expect(error?.command == name)
        }
    }
}
