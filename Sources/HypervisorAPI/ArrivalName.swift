/// The names of the folder that a checkpoint's part comes into from another host, and of the one that it becomes part of.
///
/// What comes in may be written by whoever sends it, and is nobody's checkpoint; what has been taken out of there may not.
public enum ArrivalName {
    /// Ends the name of the first.
    public static let suffix = ".arriving"
    /// Ends the name of the second, as of every checkpoint that is not whole yet.
    public static let partial = ".partial"

    /// - Parameter partial: of the folder that it becomes part of.
    public static func arriving(_ partial: String) -> String { partial + suffix }

    /// - Returns: nil when that is no folder that something comes into.
    public static func partial(of arriving: some StringProtocol) -> String? {
        guard arriving.hasSuffix(partial + suffix) else { return nil }
        return String(arriving.dropLast(suffix.count))
    }
}
