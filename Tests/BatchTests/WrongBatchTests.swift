import Testing

/// Files that are wrong, each with all that is told of it.
struct WrongBatchTests {
    struct Case: CustomTestStringConvertible, Sendable {
        let testDescription: String
        let text: String
        /// `line:column: message`
        let problems: [String]

        init(_ description: String, _ text: String, _ problems: String...) {
            testDescription = description
            self.text = text
            self.problems = problems
        }

        /// A step behind `up: pair.yaml`, in line 3 from column 5 on.
        init(step: String, _ problems: String...) {
            testDescription = step
            text = Sheet.steps(step)
            self.problems = problems
        }
    }

    private static let nameRule = "up to 63 of a-z, 0-9, _ and -, the first a letter or digit"

    static let files: [Case] = [
        Case("empty", "", "1:1: the batch file is empty"),
        Case("a list", "- up: pair.yaml\n", "1:1: expected a mapping, found a list"),
        Case(
            "no YAML",
            "batch: a\nsteps: [\n",
            "3:1: not YAML: while parsing a flow node: did not find expected node content"
        ),
        Case("deep", "batch: " + String(repeating: "[", count: 200), "1:72: nested deeper than a batch file can be"),
        Case(
            "no name",
            "steps: [up: pair.yaml]\n",
            "1:1: the key 'batch' is missing: its name, with which the names of its simulations begin"
        ),
        Case("no steps", "batch: a\n", "1:1: the key 'steps' is missing: the steps of each combination"),
        Case("empty steps", "batch: a\nsteps: []\n", "2:8: expected a list of steps, found an empty one"),
        Case(
            "a mistyped key and a name that is none",
            "batch: Night\nstep: [up: pair.yaml]\n",
            "1:1: the key 'steps' is missing: the steps of each combination",
            "1:8: 'Night' cannot be the name of a batch: \(nameRule)",
            "2:1: the batch file has no key 'step'; did you mean 'steps'?"
        ),
        Case("a key twice", "batch: a\nsteps: [up: pair.yaml]\nbatch: b\n", "3:1: the key 'batch' is there twice"),
        Case(
            "a timeout without a unit",
            "batch: a\ntimeout: 10\nsteps: [up: pair.yaml]\n",
            "2:10: \"10\": there is no unit behind the number; expected a duration such as 250us, 40ms, 1.5s, 5m, 1h30m or -90s "
                + "(units ns us ms s m h d)"
        ),
        Case(
            "a matrix of no values, of one twice, with a line break",
            "batch: a\nmatrix:\n  none: []\n  twice: [x, y, x]\n  lines: [\"a\\nb\"]\nsteps: [up: pair.yaml]\n",
            "3:9: expected a list of values, found an empty one",
            "4:17: the value 'x' is there twice",
            "5:11: a value is one line of up to 200 bytes, without control characters"
        ),
        Case(
            "more combinations than a night has",
            "batch: a\nrepeat: 500\nmatrix: {x: [1, 2, 3]}\nsteps: [up: pair.yaml]\n",
            "3:9: these are more than 1000 combinations"
        ),
        Case(
            "repeat as a name of the matrix",
            "batch: a\nrepeat: 2\nmatrix: {repeat: [1, 2]}\nsteps: [up: pair.yaml]\n",
            "2:9: 'repeat' is the name of a value of the matrix, too"
        ),
        Case(
            "a value that is not there",
            "batch: a\nmatrix: {offset: [+1h]}\nsteps: [{up: {from: lab@s1, clock: \"${{ ofset }}\"}}]\n",
            "3:36: there is no value 'ofset'; did you mean 'offset'?"
        ),
        Case(
            "a value where there are none",
            "batch: a\nmatrix: {offset: [+1h]}\nprepare: [{up: \"${{ offset }}\"}]\nsteps: [up: prepared]\n",
            "3:16: there is no value 'offset'; there are none here"
        ),
        Case(
            "a value of the matrix that is no clock policy",
            "batch: a\nmatrix: {offset: [+1h, 1h]}\nsteps: [{up: {from: lab@s1, clock: \"${{ offset }}\"}}]\n",
            "3:36: '1h' is not a clock policy, it is none of the forms that there are: write continue, host, an offset such as "
                + "+90s or -5m, or at=<ISO 8601 time>"
        ),
    ]

    static let steps: [Case] = [
        Case(step: "wat: {}", "3:5: a step has no key 'wat'; did you mean 'wait'?"),
        Case(
            step: "{wait: {machine: server, guest: 1s}, down: }",
            "3:5: a step does one thing, and this has 'wait' and 'down': begin each with a '-' of its own"
        ),
        Case(
            step: "dwon",
            "3:5: expected a step, a mapping such as 'up: lab.yaml', found 'dwon'; did you mean 'down'?"
        ),
        Case(step: "exec", "3:5: expected a step, a mapping such as 'up: lab.yaml', found 'exec'; write 'exec: …'"),
        Case(step: "down: now", "3:11: 'down' takes nothing: write '- down'"),
        Case(
            step: "wait: {machine: sever, serial: x}",
            "3:21: there is no machine 'sever'; did you mean 'server'?"
        ),
        Case(step: "wait: {machine: server}", "3:11: a wait is for either 'serial' or 'guest'"),
        Case(step: "wait: {serial: x}", "3:11: the key 'machine' is missing: the machine's name"),
        Case(
            step: "wait: {machine: server, serial: x, timeout: -1s}",
            "3:49: expected a duration longer than nothing, found '-1s'"
        ),
        Case(step: "wait: {machine: server, serial: ''}", "3:37: an empty pattern is found in everything"),
        Case(
            step: "assert: {machine: server, within: 1s}",
            "3:13: an assert has one of 'clock', 'between', 'serial' and 'no-serial'; this has none",
            "3:39: 'within' belongs to 'clock'"
        ),
        Case(
            step: "assert: {machine: server, between: [2030-01-02T00:00:00Z, 2030-01-01T00:00:00Z]}",
            "3:40: the first of the two times is the later one"
        ),
        Case(step: "send: {machine: server, line: a, text: b}", "3:11: a send has either 'line' or 'text'"),
        Case(step: "exec: []", "3:11: expected a list of a command and its arguments, found an empty one"),
        Case(
            step: "exec: {run: [true], exit: 300}",
            "3:31: expected a whole number from 0 to 255, found '300'"
        ),
        Case(step: "resume", "3:5: it runs here already: 'resume' comes after 'suspend'"),
        Case(
            step: "suspend, {send: {machine: server, line: x}}",
            "3:14: it is suspended here: 'resume' it first"
        ),
        Case(step: "up: pair.yaml", "3:5: it is up already: each combination has one simulation"),
        Case(step: "down, down", "3:11: nothing comes behind 'down'"),
        Case(
            step: "checkpoint: booted, rewind: boted",
            "3:25: no earlier step has made a checkpoint 'boted'; did you mean 'booted'?"
        ),
        Case(
            step: "checkpoint: booted, checkpoint: booted",
            "3:25: an earlier step has made the checkpoint 'booted' already"
        ),
        Case(
            step: "suspend: {as: x, at: 2030-01-01T00:00:00Z, in: 1s}",
            "3:52: either 'at' or 'in', not both"
        ),
        Case(
            step: "checkpoint: x, rewind: {to: x, as: y, discard: true}",
            "3:52: what runs is either kept ('as') or discarded, not both"
        ),
        Case(
            step: "suspend, resume: {scope: rtc}",
            "3:30: 'scope' says which clocks 'clock' moves: give 'clock', too"
        ),
    ]

    static let beginnings: [Case] = [
        Case("not up", "batch: a\nsteps: [down]\n", "2:9: nothing is up yet: the first step is 'up'"),
        Case(
            "prepared by nobody",
            "batch: a\nsteps: [up: prepared]\n",
            "2:9: there is nothing prepared: the batch file has no 'prepare'"
        ),
        Case(
            "prepared by itself",
            "batch: a\nprepare: [up: prepared]\nsteps: [up: prepared]\n",
            "2:11: there is nothing prepared: this is where it is prepared"
        ),
        Case(
            "prepared and ended",
            "batch: a\nprepare: [up: pair.yaml, down]\nsteps: [up: prepared]\n",
            "2:26: what is prepared has ended here: nothing can begin with it"
        ),
        Case(
            "a machine that what was prepared has not",
            "batch: a\nprepare: [up: pair.yaml]\nsteps: [up: prepared, wait: {machine: x, guest: 1s}]\n",
            "3:39: there is no machine 'x'"
        ),
        Case(
            "a lab file that is wrong",
            "batch: a\nsteps: [up: broken.yaml]\n",
            "2:9: the lab cannot be used: /labs/broken.yaml:3:4: there is no file /labs/x (and 1 more)"
        ),
        Case(
            "a lab file that is not there, for one of two values",
            "batch: a\nmatrix: {lab: [pair, trio]}\nsteps: [up: \"./${{ lab }}.yaml\"]\n",
            "3:9: the lab cannot be used: /labs/trio.yaml:1:1: the file cannot be found or not be read"
        ),
        Case(
            "a clock for a lab file",
            "batch: a\nsteps: [{up: {from: pair.yaml, clock: +1h}}]\n",
            "2:39: a lab file says itself what its clocks begin with ('rtc' of a machine); 'clock' is for checkpoints"
        ),
    ]

    @Test(arguments: files + steps + beginnings)
    func `what is wrong is told with line and column`(_ wrong: Case) {
        #expect(Sheet.problems(wrong.text) == wrong.problems)
    }

    @Test func `a file that is wrong in twenty ways is told all of them at once, in its order`() {
        let lines = [
            "batch: A", "timeout: soon", "matrix: {x: []}", "repeat: 0", "colour: red", "steps:", "  - down",
            "  - up: pair.yaml", "  - wait: {machine: server, serial: '('}", "  - wait: {machine: seerver, guest: 1s}",
            "  - wait: {machine: server, guest: never}", "  - checkpoint: A", "  - suspend: {as: x, on: y}",
            "  - exec: {exit: 0}", "  - exec: {run: [x], exit: one}", "  - assert: {machine: server, clock: noon}",
            "  - assert: {machine: server, no-serial: '[' }", "  - send: {machine: client}",
            "  - send: {line: x}", "  - rewind: nowhere", "  - jump", "  - {up: pair.yaml, down: }",
            "  - resume: {clock: 1h}",
            "  - wait: {machine: server, port: 300, guest: 1s}",
        ]
        let problems = Sheet.problems(lines.joined(separator: "\n"))
        let places = problems.map { $0.split(separator: ":").prefix(2).compactMap { Int($0) } }
        #expect(Set(places.map { $0[0] }).count >= 20, "\(problems)")
        #expect(zip(places, places.dropFirst()).allSatisfy { ($0[0], $0[1]) <= ($1[0], $1[1]) })
    }

    @Test func `bytes of any kind are told as wrong, or read, and never crash it`() {
        let sample = Array(Sheet.steps("wait: {machine: server, serial: '${{ x }}'}, exec: [a, $b, \"${C:-d}\"]").utf8)
        var random = SystemRandomNumberGenerator()
        for _ in 0..<2_000 {
            var bytes = sample
            for _ in 0..<Int.random(in: 1...4, using: &random) {
                let index = Int.random(in: 0..<bytes.count, using: &random)
                switch Int.random(in: 0..<3, using: &random) {
                case 0: bytes[index] = UInt8.random(in: 0...255, using: &random)
                case 1: bytes.remove(at: index)
                default: bytes.insert(contentsOf: bytes[index...].prefix(9), at: index)
                }
            }
            _ = Sheet.problems(String(decoding: bytes, as: UTF8.self))
        }
    }
}
