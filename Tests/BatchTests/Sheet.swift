import Batch
import Manifest

/// A batch file in a test: `pair.yaml` has the machines `server` and `client`, `broken.yaml` is wrong.
enum Sheet {
    static func parse(_ text: String, environment: [String: String] = [:]) throws(ManifestError) -> Batch {
        try Batch.parse(text: text, file: "night.yaml", folder: "/labs", environment: environment) {
            path throws(ManifestError) in
            switch path {
            case "/labs/pair.yaml": return ["server", "client"]
            case "/labs/broken.yaml":
                throw ManifestError(
                    problems: [
                        ManifestProblem(file: path, line: 3, column: 4, message: "there is no file /labs/x"),
                        ManifestProblem(file: path, line: 5, column: 1, message: "something else"),
                    ]
                )
            default:
                throw ManifestError(
                    problems: [
                        ManifestProblem(
                            file: path,
                            line: 1,
                            column: 1,
                            message: "the file cannot be found or not be read"
                        )
                    ]
                )
            }
        }
    }

    /// What is wrong, each as `line:column: message`.
    static func problems(_ text: String) -> [String] {
        do throws(ManifestError) {
            _ = try parse(text)
            return []
        } catch {
            return error.problems.map { "\($0.line):\($0.column): \($0.message)" }
        }
    }

    /// One with these steps, which begin in line 3, column 5, behind an `up` in line 2.
    static func steps(_ steps: String) -> String {
        "batch: a\nsteps: [up: pair.yaml,\n    \(steps)]\n"
    }
}
