import ControlInstance
import FoundationEssentials
import HTTPTypes
import Hummingbird
import HypervisorAPI

/// Serial consoles of machines.
extension Routes {
    var serials: [Endpoint] {
        let path = "/v1/simulations/{simulation}/machines/{machine}/serial"
        return [
            .get(path) { call in
                let port = try await serialPort(call)
                let seen = call.request.headers[.lastEventID].flatMap { UInt64($0) }
                return EventStream.response(SerialOutput.follow(port.log, from: seen), on: call.channel)
            },
            .post(path) { call in
                let port = try await serialPort(call)
                let text = try await call.body(SerialBody.self).base64
                guard let bytes = Data(base64Encoded: text) else {
                    throw Problem.badRequest("'base64' of the request's body is no base64")
                }
                if !bytes.isEmpty { try await SerialInput.send(Array(bytes), to: port.socket) }
                return Response(status: .noContent)
            },
        ]
    }

    private func serialPort(_ call: Call) async throws -> SerialPort {
        let number = try call.parameter("port").map { text in
            guard let number = UInt8(text) else { throw Problem.badRequest("'\(text)' is no number of a port") }
            return Int(number)
        }
        return try await control.serialPort(number, of: try call.machine(), in: try call.simulation())
    }
}
