import Glibc
import HostClock
import Testing
import Time

@Suite struct ErrorSentenceTests {
    @Test(arguments: [
        (ShotFailure.refused(errno: EAGAIN), "the peer does not read and its buffer is full (EAGAIN)"),
        (.refused(errno: EPIPE), "the write failed: Broken pipe (errno 32)"),
        (.cutShort(written: 3, of: 20), "only 3 of 20 bytes were taken: close this connection"),
    ])
    func aShotSaysWhyItFailed(failure: ShotFailure, sentence: String) {
        #expect(failure.description == sentence)
    }

    @Test(arguments: [
        (DeadlineError.tooLate(by: .milliseconds(3)), "due 3ms ago; choose a later instant"),
        (.leadOutOfRange(shot: 2, lead: .seconds(1)), "the lead 1s of shot 2 is outside 0 to 50ms"),
        (.badDescriptor(shot: 1, descriptor: 99), "shot 1 goes to descriptor 99, which is not open"),
        (.system(step: "opening a timer", errno: EMFILE), "opening a timer failed: Too many open files (errno 24)"),
    ])
    func aDeadlineSaysWhyItCannotBeArmed(error: DeadlineError, sentence: String) {
        #expect(error.description.contains(sentence))
    }
}
