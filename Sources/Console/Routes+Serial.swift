import ControlInstance
import FoundationEssentials
import HTTPTypes
import Hummingbird

/// Serial consoles of machines.
extension Routes {
    var serials: [Endpoint] {
        let path = "/v1/simulations/{simulation}/machines/{machine}/serial"
        return [
            .get(path) { call in
                let news = try await control.followSerial(
                    try Self.port(call),
                    of: try call.machine(),
                    in: try call.simulation(),
                    from: call.request.headers[.lastEventID].flatMap { UInt64($0) }
                )
                return EventStream.response(news)
            },
            .post(path) { call in
                let (number, machine, simulation) = try (Self.port(call), call.machine(), call.simulation())
                let text = try await call.body(SerialBody.self).base64
                guard let bytes = Data(base64Encoded: text) else {
                    throw Problem.badRequest("'base64' of the request's body is no base64")
                }
                try await control.writeSerial(Array(bytes), to: number, of: machine, in: simulation)
                return Response(status: .noContent)
            },
        ]
    }

    private static func port(_ call: Call) throws -> Int? {
        try call.parameter("port").map { text in
            guard let number = UInt8(text) else { throw Problem.badRequest("'\(text)' is no number of a port") }
            return Int(number)
        }
    }
}
