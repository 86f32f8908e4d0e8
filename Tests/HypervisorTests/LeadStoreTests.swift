import FoundationEssentials
import Glibc
import HostClock
import Testing
import Time

@testable import Hypervisor

/// What a machine's next process is to know of how quickly it follows.
struct LeadStoreTests {
    private static let start = HostInstant(nanosecondsSinceEpoch: 1_700_000_000_000_000_000)

    private func calibration(_ delays: [Span]) -> LeadCalibration {
        delays.reduce(into: LeadCalibration()) { $0.record(sentAt: Self.start, stampedAt: Self.start + $1) }
    }

    private func withStore(_ body: (LeadStore) throws -> Void) throws {
        let folder = FileManager.default.temporaryDirectory.path + "/fermata-leads-\(UInt64.random(in: 0 ... .max))"
        defer { try? FileManager.default.removeItem(atPath: folder) }
        try body(LeadStore(path: "\(folder)/leads/sim/a.json"))
    }

    @Test func whatWasLearnedIsThereForTheNext() throws {
        try withStore { store in
            #expect(store.load().isEmpty)
            let leads: [InstantCommand: LeadCalibration] = [
                .stop: calibration([.microseconds(100), .microseconds(300), .microseconds(200)]),
                .cont: calibration([.microseconds(50)]),
            ]
            store.save(leads)
            #expect(store.load() == leads)
            #expect(store.load()[.stop]?.lead == .microseconds(200) && store.load()[.cont]?.lead == .zero)
        }
    }

    @Test(arguments: [
        "", "{", "[]", "{\"stop\": 5}", "{\"stop\": [\"x\"]}", "null", String(repeating: " ", count: 20_000) + "{}",
    ])
    func aDamagedFileIsNoneAndIsReplaced(_ text: String) throws {
        try withStore { store in
            store.save([:])
            try Data(text.utf8).write(to: URL(filePath: store.path))
            #expect(store.load().isEmpty)
            let leads: [InstantCommand: LeadCalibration] = [.stop: calibration([.microseconds(1)])]
            store.save(leads)
            #expect(store.load() == leads)
        }
    }

    @Test func whatAnotherReleaseKnowsAndNonsenseIsLeftOut() throws {
        try withStore { store in
            store.save([:])
            try Data("{\"stop\": [-5, 1000, 2000, 3000], \"later\": [1]}".utf8).write(to: URL(filePath: store.path))
            #expect(store.load().keys.map(\.rawValue) == ["stop"])
            #expect(store.load()[.stop]?.lead == .microseconds(2))
        }
    }

    @Test func aPlaceThatCannotBeWrittenIsNoError() {
        let store = LeadStore(path: "/proc/none/sim/a.json")
        store.save([.stop: calibration([.microseconds(1)])])
        #expect(store.load().isEmpty)
    }
}
