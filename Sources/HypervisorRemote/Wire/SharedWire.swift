import HypervisorAPI

extension RemoteMethod where Body == SharedFileOrder, Answer == Bool {
    static var copyShared: Self { Self("copy-shared") }
}

extension SharedFileOrder {
    /// - Parameter target: likewise, of the folder that it comes into.
    func mapping(
        _ map: (String) throws(HypervisorError) -> String,
        target mapTarget: (String) throws(HypervisorError) -> String
    ) throws(HypervisorError) -> SharedFileOrder {
        var order = self
        order.source.folder = try map(source.folder)
        order.target.folder = try mapTarget(target.folder)
        return order
    }
}
