import Glibc
import HypervisorAPI

/// This host's end of a link to another host: each frame is a UDP datagram between the two QEMUs, and nobody stands between them.
struct UDPEnd: Sendable {
    /// More than hosts give by default: a machine that has stopped reads nothing while its peer still sends.
    private static let incomingRoom: Int32 = 4 << 20

    /// The machine's. Its peer is ``substitute`` until ``connect()``.
    let socket: OwnedDescriptor
    /// In the other machine's place while what was on its way is put back.
    let substitute: OwnedDescriptor
    private let link: String
    private let remote: UDPAddress

    /// Takes the port.
    init(of spec: LinkSpec, end: Int) throws(HypervisorError) {
        let texts = [spec.ends[end].address, spec.ends[1 - end].address]
        guard spec.kind == .dgram, let here = texts[0].flatMap(UDPAddress.init),
            let remote = texts[1].flatMap(UDPAddress.init), here.family == remote.family,
            here.isLoopback == remote.isLoopback
        else {
            throw HypervisorError(
                code: "link-invalid",
                machine: spec.ends[end].machine,
                message:
                    "the link '\(spec.name)' leads to another host, but is no dgram link with an address for each end"
            )
        }
        link = spec.name
        self.remote = remote
        let address = texts[0] ?? ""
        socket = try Self.socket(here, at: address, spec, end)
        substitute = try Self.socket(here.withoutPort, at: address, spec, end)
        SocketQueue.reserveIncoming(Self.incomingRoom, in: socket)
        // Until it is joined to its peer it hears nobody else: a stranger's datagram would be a frame.
        guard let ours = UDPAddress(of: substitute), ours.connect(socket), here.connect(substitute) else {
            throw Self.failure(spec.name, "its sockets cannot be connected: \(String(cString: strerror(errno)))")
        }
        // What strangers sent in the moment before.
        while recv(socket.number, nil, 0, Int32(MSG_DONTWAIT)) >= 0 {}
    }

    /// Whatever else arrives from now on is dropped by the kernel.
    func connect() throws(HypervisorError) {
        guard remote.connect(socket) else {
            throw Self.failure(link, "the other host cannot be reached: \(String(cString: strerror(errno)))")
        }
    }

    private static func socket(
        _ address: UDPAddress,
        at text: String,
        _ spec: LinkSpec,
        _ end: Int
    ) throws(HypervisorError) -> OwnedDescriptor {
        let type = Int32(SOCK_DGRAM.rawValue) | Int32(SOCK_CLOEXEC.rawValue)
        let number = Glibc.socket(address.family, type, 0)
        guard number >= 0 else {
            throw failure(spec.name, "no socket to be had: \(String(cString: strerror(errno)))")
        }
        let socket = OwnedDescriptor(number)
        guard !address.bind(socket) else { return socket }
        let machine = spec.ends[end].machine
        switch errno {
        case EADDRINUSE:
            throw HypervisorError(
                code: "link-port-taken",
                machine: machine,
                message:
                    "the link '\(spec.name)' is to receive at \(text), where somebody else does: the next try takes "
                    + "another port"
            )
        case EADDRNOTAVAIL:
            throw HypervisorError(
                code: "link-address-elsewhere",
                machine: machine,
                message:
                    "the link '\(spec.name)' is to receive at \(text), which is no address of this host: its agent has to "
                    + "be added by one (links cannot pass address translation)"
            )
        default:
            throw failure(spec.name, "it cannot receive at \(text): \(String(cString: strerror(errno)))")
        }
    }

    private static func failure(_ link: String, _ why: String) -> HypervisorError {
        HypervisorError(code: "link-failed", message: "the link '\(link)' to another host cannot be made: \(why)")
    }
}
