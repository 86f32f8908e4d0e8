import Testing

@testable import Console

/// What becomes of a body whose request is answered before it has come.
@Suite struct BodyProgressTests {
    @Test func `a request that is whole leaves the connection as it is`() {
        var progress = BodyProgress()
        for _ in 0..<3 {
            #expect(progress.requestBegins() == true)
            #expect(progress.bodyComes(1 << 30) == true)
            progress.requestEnds()
            #expect(progress.answerBegins() == false)
            progress.answerEnds()
            #expect(!progress.endsConnection && !progress.isOver)
        }
    }

    @Test func `requests that wait for their turn are whole`() {
        var progress = BodyProgress()
        for _ in 0..<3 {
            #expect(progress.requestBegins() == true)
            progress.requestEnds()
        }
        for _ in 0..<3 {
            #expect(progress.answerBegins() == false)
            progress.answerEnds()
        }
        #expect(!progress.endsConnection)
    }

    @Test func `of a body that comes behind its answer little is read, and no request behind it`() {
        var progress = BodyProgress()
        #expect(progress.requestBegins() == true)
        #expect(progress.bodyComes(1 << 30) == true)
        #expect(progress.answerBegins() == true)
        progress.answerEnds()
        #expect(!progress.isOver)
        #expect(progress.bodyComes(BodyProgress.mostUnwanted) == true)
        #expect(progress.bodyComes(1) == false)
        progress.requestEnds()
        #expect(progress.isOver)
        #expect(progress.requestBegins() == false)
    }

    @Test func `the connection is over when the answer is, if the body came in time`() {
        var progress = BodyProgress()
        #expect(progress.requestBegins() == true)
        #expect(progress.answerBegins() == true)
        progress.requestEnds()
        #expect(!progress.isOver)
        progress.answerEnds()
        #expect(progress.isOver)
    }

    @Test func `an answer to what was no request ends the connection`() {
        var progress = BodyProgress()
        #expect(progress.answerBegins() == true)
        progress.answerEnds()
        #expect(progress.endsConnection)
    }
}
