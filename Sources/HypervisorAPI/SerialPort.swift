/// A serial port of a machine that was launched: where one talks to the guest, and all that it ever said.
public struct SerialPort: Hashable, Sendable {
    public let number: Int
    /// A UNIX socket on the machine's host; QEMU serves one connection at a time.
    public let socket: String
    /// A file on the machine's host that QEMU appends to. It outlives the process, and the next one goes on in it.
    public let log: String

    public init(number: Int, socket: String, log: String) {
        self.number = number
        self.socket = socket
        self.log = log
    }
}

extension MachineStatus {
    /// Its ports that are no links, as they are called in the machine's folder: `serial0.sock` and `serial0.log`, … None of an adopted
    /// machine, whose sockets are its owner's.
    public var serialPorts: [SerialPort] {
        guard !adopted, let log, let end = log.lastIndex(of: "/") else { return [] }
        return serialSockets.compactMap { socket in
            let file = socket.split(separator: "/").last ?? ""
            guard let number = Int(file.drop { !$0.isNumber }.prefix { $0.isNumber }) else { return nil }
            return SerialPort(number: number, socket: socket, log: "\(log[..<end])/serial\(number).log")
        }
    }
}
