/// A batch file as far as it could be read; nil for what could not.
struct Draft {
    var name: String?
    /// nil: the file has no such key.
    var prepare: [Step?]?
    var combinations: [(values: [Combination.Value], steps: [Step?])]
}
