import ControlInstance
import DatabaseServer
import FoundationEssentials
import Testing
import Time

/// The state databases that there are; what is true of one is true of all.
enum StoreKind: String, CaseIterable, CustomTestStringConvertible {
    case sqlite, postgresql

    var testDescription: String { rawValue }

    /// Those that this machine has. ``StoreTests`` says why one is left out.
    static var available: [StoreKind] { allCases.filter { $0 == .sqlite || DatabaseServer.isAvailable } }

    /// A place for one store, which more than one may open.
    func place(_ folder: String) throws -> StorePlace {
        switch self {
        case .sqlite: StorePlace(kind: self, address: "\(folder)/state.sqlite")
        case .postgresql: StorePlace(kind: self, address: try DatabaseServer.shared.get().database())
        }
    }
}

struct StorePlace: Sendable {
    var kind: StoreKind
    var address: String

    /// - Parameter name: of the control instance whose store it is.
    func open(_ name: String = "desk", id: String? = nil, lease: Span = PostgreSQLStore.lease) async throws -> any Store
    {
        switch kind {
        case .sqlite: try SQLiteStore(path: address)
        case .postgresql:
            try await PostgreSQLStore(
                url: address,
                identity: InstanceIdentity(id: id ?? "id-\(name)", name: name, home: "/homes/\(name)"),
                lease: lease
            )
        }
    }
}
