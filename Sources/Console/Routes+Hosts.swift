import ControlInstance
import HTTPTypes
import Hummingbird

extension Routes {
    var hosts: [Endpoint] {
        [
            .get("/v1/hosts") { _ in try Answer.json(HostsAnswer(hosts: try await control.hosts())) },
            .post("/v1/hosts") { call in
                let body = try await call.body(HostBody.self)
                let request = HostRequest(
                    name: try Call.name(body.name, of: "host"),
                    address: body.address,
                    labels: body.labels ?? [:]
                )
                return try Answer.json(try await control.addHost(request), status: .created)
            },
            .delete("/v1/hosts/{host}") { call in
                try await control.removeHost(try call.host(), force: try call.flag("force", default: false))
                return Response(status: .noContent)
            },
            .post("/v1/hosts/{host}/drain") { call in
                let host = try call.host()
                let body = try await call.body(DrainBody.self)
                return try Answer.json(try await control.drainHost(host, drained: body.drained ?? true))
            },
        ]
    }
}
