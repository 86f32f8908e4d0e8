import ControlInstance
import HypervisorAPI
import HypervisorRemote
import Logging
import PKI
import Synchronization
import Time

/// The way to hosts that were added: with the credentials in the state folder's `trust`, which may come later than the daemon.
final class FarHosts: Sendable {
    private let home: String
    private let clockErrorLimit: Span?
    private let logger: Logger
    private let trust = Mutex<LiveTrust?>(nil)

    init(home: String, clockErrorLimit: Span?, logger: Logger) {
        self.home = home
        self.clockErrorLimit = clockErrorLimit
        self.logger = logger
    }

    func hypervisor(of host: HostRecord) -> any Hypervisor {
        RemoteHypervisor(
            host: host.name,
            address: host.address,
            trust: { [self] () throws(HypervisorError) in try liveTrust() },
            home: home,
            clockErrorLimit: clockErrorLimit
        )
    }

    private func liveTrust() throws(HypervisorError) -> LiveTrust {
        if let trust = trust.withLock({ $0 }) { return trust }
        do throws(PKIError) {
            let loaded = LiveTrust(try TrustStore.load(from: "\(home)/trust"), logger: logger)
            guard loaded.identity.role == .control else {
                throw PKIError(.certificate, "\(home)/trust has the credentials of \(loaded.identity)")
            }
            trust.withLock { $0 = loaded }
            return loaded
        } catch {
            throw HypervisorError(
                code: "hosts-not-possible",
                message: "this control instance has no credentials for other hosts (\(error)): "
                    + "'fermata pki init' and 'fermata pki issue control NAME' make them"
            )
        }
    }
}
