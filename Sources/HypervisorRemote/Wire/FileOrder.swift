import HypervisorAPI

/// Bring a file from a place of another host to one of this.
protocol FileOrder {
    var source: FilePlace { get set }
    var target: FilePlace { get set }
}

extension FetchOrder: FileOrder {}
extension SharedFileOrder: FileOrder {}

extension FileOrder {
    /// The same with other folders.
    /// - Parameter target: likewise, of the folder that it comes into.
    func mapping(
        _ map: (String) throws(HypervisorError) -> String,
        target mapTarget: (String) throws(HypervisorError) -> String
    ) throws(HypervisorError) -> Self {
        var order = self
        order.source.folder = try map(source.folder)
        order.target.folder = try mapTarget(target.folder)
        return order
    }
}
