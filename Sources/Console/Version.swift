/// Of the program; the daemon tells it, so that a client of another version is noticed.
public enum FermataVersion {
    public static let current = "0.1.0"
}
