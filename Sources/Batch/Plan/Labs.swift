import Manifest

/// The lab files that a batch names, each looked at once.
final class Labs {
    private let machines: (String) throws(ManifestError) -> [String]
    private var known: [String: Result<[String], ManifestError>] = [:]

    init(_ machines: @escaping (String) throws(ManifestError) -> [String]) { self.machines = machines }

    func machines(of path: String) -> Result<[String], ManifestError> {
        if let result = known[path] { return result }
        let result: Result<[String], ManifestError>
        do throws(ManifestError) {
            result = .success(try machines(path))
        } catch {
            result = .failure(error)
        }
        known[path] = result
        return result
    }
}
