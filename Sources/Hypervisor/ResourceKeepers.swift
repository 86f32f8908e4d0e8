import HypervisorAPI
import Synchronization

/// One resource keeper for each simulation, so that two operations never keep the same books.
final class ResourceKeepers: Sendable {
    private let keepers = Mutex<[String: ResourceKeeper]>([:])

    func keeper(of simulation: String, folder: String) throws(HypervisorError) -> ResourceKeeper {
        try keepers.withLock { (keepers) throws(HypervisorError) in
            if let keeper = keepers[simulation] { return keeper }
            try RunFolder.make(folder)
            let keeper = try ResourceKeeper(simulation: simulation, folder: folder)
            keepers[simulation] = keeper
            return keeper
        }
    }
}
