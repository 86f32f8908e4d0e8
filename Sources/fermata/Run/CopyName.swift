/// Names of simulations that live as long as somebody needs them.
enum CopyName {
    /// `lab-run-x7k2qp`.
    static func make(of simulation: String, _ what: String = "run") -> String {
        let letters = "abcdefghijkmnpqrstuvwxyz23456789"
        let ending = String((0..<6).map { _ in letters.randomElement() ?? "x" })
        return "\(simulation.prefix(55 - what.utf8.count))-\(what)-\(ending)"
    }
}
