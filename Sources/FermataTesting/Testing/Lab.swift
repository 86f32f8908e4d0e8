/// What a test's simulation begins with.
public struct Lab: Sendable, CustomStringConvertible {
    enum Source: Sendable {
        case manifest(String)
        case checkpoint(String)
        case booted(BootedLab)
    }

    let source: Source

    /// The path of a manifest, or a checkpoint `SIM@NAME`.
    public var description: String {
        switch source {
        case .manifest(let path): path
        case .checkpoint(let text): text
        case .booted(let lab): lab.manifest
        }
    }

    /// The machines of a manifest, started anew for each test.
    /// - Parameters:
    ///   - path: of the file, relative to the folder of the source file that names it.
    ///   - file: that source file.
    public static func manifest(_ path: String, relativeTo file: String = #filePath) -> Lab {
        Lab(source: .manifest(located(path, file)))
    }

    /// A copy of a checkpoint that is there already, for each test.
    /// - Parameter text: `SIM@NAME`; if it is none, the test is told.
    public static func checkpoint(_ text: String) -> Lab { Lab(source: .checkpoint(text)) }

    /// Boots a manifest's machines once, when the first test needs them, and gives each test a copy of what they were then. They are
    /// suspended meanwhile, and are gone with the process.
    ///
    /// To be kept in a `static let`: each value boots by itself.
    /// - Parameters:
    ///   - path: as of ``manifest(_:relativeTo:)``.
    ///   - boot: waits until they have booted, and does what every test needs. If it throws, every test that needs them fails with that.
    public static func booted(
        _ path: String,
        relativeTo file: String = #filePath,
        _ boot: @escaping @Sendable (Simulation) async throws -> Void
    ) -> Lab {
        Lab(source: .booted(BootedLab(located(path, file), boot)))
    }

    private static func located(_ path: String, _ file: String) -> String {
        path.hasPrefix("/") ? path : "\(file[..<(file.lastIndex(of: "/") ?? file.startIndex)])/\(path)"
    }

    /// - Parameter name: what the simulation's name begins with.
    func start(
        _ fermata: Fermata,
        name: String?,
        _ clock: ClockPolicy?,
        _ scope: ClockPolicy.Scope?
    ) async throws -> Simulation {
        switch source {
        case .checkpoint(let text):
            return try await fermata.clone(try Checkpoint(text), name: name, clock: clock, scope: scope)
        case .booted(let lab):
            return try await fermata.clone(try await lab.checkpoint(fermata), name: name, clock: clock, scope: scope)
        case .manifest(let path):
            guard clock == nil, scope == nil else {
                throw FermataError(
                    code: "usage",
                    exitCode: 2,
                    "\(path) is no checkpoint: a manifest says itself what its clocks begin with"
                )
            }
            return try await fermata.up(path, name: name)
        }
    }
}
