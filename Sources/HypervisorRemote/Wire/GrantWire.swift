import HypervisorAPI

/// Files that another host may read: `GET` as of ``FileWire``, with the ticket of its grant in `Authorization: Bearer …`.
enum GrantWire {
    static let path = "/v\(WireFormat.version)/granted/"

    static func authorization(_ ticket: String) -> String { "Bearer \(ticket)" }

    /// - Returns: nil when there is none.
    static func ticket(of authorization: String?) -> String? {
        guard let match = authorization?.wholeMatch(of: /Bearer ([0-9a-f]{64})/) else { return nil }
        return String(match.1)
    }
}

extension RemoteMethod where Body == GrantOrder, Answer == String {
    /// Answered with the ticket.
    static var grant: Self { Self("grant") }
}

extension RemoteMethod where Body == String, Answer == Nothing {
    static var endGrant: Self { Self("end-grant") }
}

extension RemoteMethod where Body == FetchOrder, Answer == FetchProgress {
    static var fetch: Self { Self("fetch") }
}

extension GrantOrder {
    func mapping(_ map: (String) throws(HypervisorError) -> String) throws(HypervisorError) -> GrantOrder {
        var order = self
        for index in files.indices { order.files[index].folder = try map(files[index].folder) }
        return order
    }
}
