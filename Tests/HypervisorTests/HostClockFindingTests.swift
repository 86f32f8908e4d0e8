import HostClock
import HypervisorAPI
import Testing
import Time

@testable import Hypervisor

@Suite struct HostClockFindingTests {
    private static let following = ChronyTracking(
        "C0000201,192.0.2.1,3,1.0,0.000010,0,0,0,0,0,0.000020,0.000030,64.0,Normal"
    )
    private static let alone = ChronyTracking("00000000,,0,0.0,0.0,0,0,0,0,0,1.0,1.0,0.0,Not synchronised")

    @Test(
        arguments: [
            (true, nil, .ok, "synchronised to within 2ms"),
            (true, following, .ok, "synchronised to within 2ms; chrony says 50us, stratum 3, from 192.0.2.1"),
            (true, alone, .ok, "synchronised to within 2ms; chrony runs and follows no source"),
            (false, nil, .notice, "not synchronised with a time source; instants are right on this host only"),
            (
                false, alone, .notice,
                "not synchronised with a time source; chrony runs and follows no source (`chronyc sources`); instants are right on this host only"
            ),
        ] as [(Bool, ChronyTracking?, HypervisorDescription.Finding.Level, String)]
    )
    func `the kernel's bound counts, and chrony's word stands beside it`(
        synchronised: Bool,
        chrony: ChronyTracking?,
        level: HypervisorDescription.Finding.Level,
        message: String
    ) {
        let kernel = ClockSynchronisation(
            synchronised: synchronised,
            maximumError: .milliseconds(2),
            estimatedError: .milliseconds(1)
        )
        let finding = HostClockFinding.finding(kernel: kernel, chrony: chrony)
        #expect(finding.level == level)
        #expect(finding.message == message)
    }
}
