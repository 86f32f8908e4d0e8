import Testing
import Time
@testable import Hypervisor

struct ArmingPaceTests {
    @Test func theFirstIsGivenTime() {
        #expect(ArmingPace(unknown: .milliseconds(60), most: .seconds(5)).planned(machines: 4) == .milliseconds(60))
    }

    @Test func twiceTheSlowestIsPlannedForEachMachine() {
        let pace = ArmingPace(unknown: .milliseconds(200), most: .seconds(5))
        pace.learn(.milliseconds(30), machines: 2)
        pace.learn(.milliseconds(20), machines: 1)
        pace.learn(.milliseconds(5), machines: 1)
        #expect(pace.planned(machines: 3) == .milliseconds(120))
    }

    @Test func whatIsLongAgoIsForgotten() {
        let pace = ArmingPace(unknown: .milliseconds(200), most: .seconds(5))
        pace.learn(.seconds(1), machines: 1)
        #expect(pace.planned(machines: 1) == .seconds(2))
        for _ in 0..<8 { pace.learn(.milliseconds(15), machines: 1) }
        #expect(pace.planned(machines: 1) == .milliseconds(30))
    }

    @Test func aQuickHostHasTimeTooAndASlowOneIsNotWaitedForForEver() {
        let pace = ArmingPace(unknown: .milliseconds(200), most: .seconds(5))
        pace.learn(.zero, machines: 1)
        #expect(pace.planned(machines: 1) == ArmingPace.least)
        pace.learn(.seconds(100), machines: 1)
        #expect(pace.planned(machines: 1) == .seconds(5))
        pace.learn(.seconds(-100), machines: 1)
        pace.learn(.seconds(100), machines: 0)
        #expect(pace.planned(machines: 1) == .seconds(5))
    }
}
