import Time
import HypervisorAPI
import QMP

extension LifetimeManager {
    /// Brings a machine that a failed suspend left behind to where `cont` takes it on.
    /// - Returns: false when it runs, or is in a state that nobody can continue (it has shut down or crashed by itself).
    func prepareToContinue() async throws(HypervisorError) -> Bool {
        let monitor = try await monitor()
        do throws(QMPError) {
            if try await monitor.queryMigrate().status.isUnderWay {
                _ = try? await monitor.migrateCancel()
            }
        } catch {
            throw HypervisorError(error, machine: name.machine)
        }
        switch try await runState() {
        case .running:
            return false
        // A disk that was full may have room again: QEMU tries once more what failed.
        case .paused, .postMigrate, .preLaunch, .ioError:
            return true
        case .finishMigrate, .saveVM:
            try await monitor.settle(into: [.paused, .postMigrate, .running], within: .seconds(30))
            return try await runState() != .running
        default:
            return false
        }
    }
}
