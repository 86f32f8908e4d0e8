import FoundationEssentials
import Testing

@testable import FermataTesting

/// What becomes words of a command line.
@Suite struct WordsTests {
    @Test func `clock policies read as on the command line`() {
        #expect("+1h" as ClockPolicy == ClockPolicy("+1h"))
        #expect(ClockPolicy.continue.description == "continue" && ClockPolicy.host.description == "host")
        #expect(ClockPolicy.offset(.seconds(90)).description == "+90000000000ns")
        #expect(ClockPolicy.offset(.milliseconds(-1500)).description == "-1500000000ns")
        #expect(
            ClockPolicy.at(Date(timeIntervalSince1970: 1_893_456_000)).description == "at=2030-01-01T00:00:00.000000Z"
        )
        #expect(Simulation.words("host", .all) == ["--clock", "host", "--clock-scope", "all"])
    }

    @Test(arguments: [
        (0, "1970-01-01T00:00:00.000000Z"), (1.5, "1970-01-01T00:00:01.500000Z"),
        (-0.25, "1969-12-31T23:59:59.750000Z"),
    ])
    func `instants have microseconds`(_ seconds: Double, _ text: String) {
        #expect(TimeText.instant(Date(timeIntervalSince1970: seconds)) == text)
    }

    @Test func `a time is given in one way, and lies ahead`() throws {
        #expect(try TimeText.words(at: nil, after: nil).isEmpty)
        #expect(try TimeText.words(at: nil, after: .milliseconds(40)) == ["--in", "40000000ns"])
        #expect(throws: FermataError.self) { try TimeText.words(at: Date(), after: .seconds(1)) }
        #expect(throws: FermataError.self) { try TimeText.words(at: nil, after: .seconds(-1)) }
        #expect(TimeText.span(.seconds(Int64.max)) == "\(Int64.max)ns")
    }

    @Test func `a checkpoint is a simulation and a name`() throws {
        let checkpoint = try Checkpoint("lab@booted")
        #expect(checkpoint.simulation == "lab" && checkpoint.name == "booted" && "\(checkpoint)" == "lab@booted")
        for text in ["", "lab", "@", "lab@", "@booted", "a@b@c"] {
            #expect(throws: FermataError.self, "\(text)") { try Checkpoint(text) }
        }
    }

    @Test(arguments: [
        ("login()", "login"), ("a certificate, that expires (later)", "a-certificate-that-e"), ("äöü", "test"),
        ("", "test"), ("UPPER_case", "upper-case"), ("exactly-twenty-chars-", "exactly-twenty-chars"),
    ])
    func `names of copies are short, plain and each another`(_ label: String, _ stem: String) {
        let names = (0..<20).map { _ in Fermata.copyName(label) }
        #expect(names.allSatisfy { $0.hasPrefix("\(stem)-") && $0.utf8.count == stem.utf8.count + 9 }, "\(names)")
        #expect(Set(names).count == names.count)
    }

    @Test func `errors tell what the program told`() {
        let refusal =
            #"{"event":"result","code":"x","detail":"","outcome":"refused","exitCode":3,"#
            + #""reasons":[{"code":"busy","message":"it is busy","machine":"box"},{"code":"y","message":"no"}]}"#
        func error(_ text: String) -> FermataError {
            FermataError(answer: Data(text.utf8), status: 3, doing: "fermata resume lab", otherwise: "it said nothing")
        }
        let told = error(refusal.replacing(#""detail":"","#, with: "").replacing(#""code":"x","#, with: ""))
        #expect(told.description == "fermata resume lab: box: it is busy; no" && told.codes == ["busy", "y"])
        #expect(told.code == "busy" && told.exitCode == 3)
        let silent = error("")
        #expect(silent.description == "fermata resume lab: it said nothing" && silent.code == "program-failed")
        #expect(error(#"{"outcome":"missed","exitCode":4}"#).description == "fermata resume lab: it ended as missed")
        #expect(error("[1, 2").exitCode == 3)
    }
}
