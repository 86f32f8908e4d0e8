"""What modules make of values, in the engine that runs them."""

import pytest


def test_nanoseconds_since_the_epoch_are_read_and_written_exactly(browser):
    text = '{"atNs":1795785917925014359,"note":"\\"xNs\\": 12, {","durationNs" : -5,"readsNs":null,"bytes":42,"list":[{"rtcNs":9007199254740993}]}'
    kinds = browser.module(
        "json.js",
        """const value = module.parse(given[0]);
        return [String(value.atNs), typeof value.atNs, value.note, String(value.durationNs), value.readsNs, typeof value.bytes,
            module.stringify({ a: value.atNs, b: undefined, c: [value.list[0].rtcNs, "é\\""] })];""",
        text,
    )
    assert kinds == ["1795785917925014359", "bigint", '"xNs": 12, {', "-5", None, "number", '{"a":1795785917925014359,"c":[9007199254740993,"é\\""]}']


@pytest.mark.parametrize(
    "text, nanoseconds",
    [("250us", 250_000), ("1.5s", 1_500_000_000), ("1h30m", 5_400_000_000_000), ("40ms", 40_000_000), ("2", None), ("", None), ("5 parsecs", None), ("-1s", None)],
)
def test_durations_are_read_as_the_command_line_reads_them(browser, text, nanoseconds):
    found = browser.module("time.js", "return module.parseDuration(given[0])?.toString() ?? null", text)
    assert found == (None if nanoseconds is None else str(nanoseconds))


@pytest.mark.parametrize(
    "text, nanoseconds",
    [
        ("2026-12-31T23:59:50Z", "1798761590000000000"),
        ("2026-12-31 23:59:50.123456789", "1798761590123456789"),
        ("2026-12-31T23:59:50+01:00", "1798757990000000000"),
        ("2026-12-31", None),
        ("tomorrow", None),
        ("2026-13-31T23:59:50", None),
    ],
)
def test_instants_are_read_to_the_nanosecond_in_utc(browser, text, nanoseconds):
    assert browser.module("time.js", "return module.parseInstant(given[0])?.toString() ?? null", text) == nanoseconds


def test_durations_and_instants_are_told_in_readable_units(browser):
    told = browser.module(
        "time.js",
        """return [569_500n, -98_800n, 2_280_000n, 14_200_000_000n, 270_000_000_000n, 5n, 0n].map(module.formatDuration)
            .concat(module.formatInstant(1795785917925014359n, 6), module.formatInstant(-1n, 9), module.isoInstant(0n))""",
    )
    assert told == [
        "570 µs", "−98.8 µs", "2.28 ms", "14.2 s", "4 min 30 s", "5 ns", "0 ns",
        "2026-11-27 13:25:17.925014", "1969-12-31 23:59:59.999999999", "1970-01-01T00:00:00.000000000Z",
    ]


def test_a_branch_gets_a_lane_of_its_own_and_a_pause_stays_on_its_lane(browser):
    history = browser.module(
        "timeline-model.js",
        """const operation = (kind, deadline, checkpoint) => ({ operation: `${kind}${deadline}`, kind, checkpoint, deadlineNs: deadline, startedNs: deadline,
            report: { outcome: "done", kind, machines: [] } });
        const operations = [operation("start", 0n), operation("checkpoint", 10n, "a"), operation("suspend", 20n, "b"), operation("resume", 30n, "b"),
            operation("suspend", 40n, "c"), operation("resume", 50n, "a")].reverse();
        const saved = (checkpoint, instantNs, parent) => ({ checkpoint, instantNs, parent });
        const { lanes, spans, points } = module.historyOf({ state: "running" }, operations, [saved("a", 10n), saved("b", 20n, "a"), saved("c", 40n, "b")], 60n);
        return { lanes, spans: spans.map((span) => `${span.kind} ${span.lane} ${span.fromNs}-${span.toNs}`), points: points.map((point) => `${point.kind} ${point.lane}`) };""",
    )
    assert history == {
        "lanes": 2,
        "spans": ["run 0 0-20", "pause 0 20-30", "run 0 30-40", "branch 1 10-50", "run 1 50-60"],
        "points": ["start 0", "checkpoint 0", "suspend 0", "resume 0", "suspend 0", "resume 1"],
    }


def test_what_came_to_nothing_is_marked_where_the_simulation_stood(browser):
    points = browser.module(
        "timeline-model.js",
        """const operation = (kind, deadline, outcome) => ({ operation: `${kind}${deadline}`, kind, deadlineNs: deadline, startedNs: deadline, report: { outcome, kind, machines: [] } });
        const { points, spans } = module.historyOf({ state: "running" }, [operation("suspend", 10n, "cancelled"), operation("start", 0n, "done")], [], 60n);
        return [points.map((point) => point.kind), spans.map((span) => `${span.kind} ${span.fromNs}-${span.toNs}`)];""",
    )
    assert points == [["start", "attempt"], ["run 0-60"]]


@pytest.mark.parametrize(
    "written, lines, line",
    [
        ("one\r\ntwo", ["one"], "two"),
        ("50%\r100%", [], "100%"),
        ("abc\b\bX", [], "aXc"),
        ("a\tb", [], "a       b"),
        ("\x1b[31mred\x1b[0m plain\x1b[1;1H", [], "red plain"),
        ("long line\rshort\x1b[K", [], "short"),
        ("old\n\x1b[2Jnew", [], "new"),
        ("\x1b]0;a title\x07text", [], "text"),
        ("grüße\n", ["grüße"], ""),
    ],
)
@pytest.mark.parametrize("piece", [1, 1000])
def test_a_serial_line_reads_as_on_a_terminal_however_its_bytes_come(browser, written, lines, line, piece):
    found = browser.module(
        "terminal-screen.js",
        """const screen = new module.TerminalScreen();
        const bytes = new TextEncoder().encode(given[0]);
        let lines = [];
        for (let start = 0; start < bytes.length; start += given[1]) {
            const step = screen.write(bytes.slice(start, start + given[1]));
            lines = step.cleared ? step.lines : [...lines, ...step.lines];
        }
        return [lines, screen.line];""",
        written, piece,
    )
    assert found == [lines, line]


def test_events_are_read_whole_however_their_bytes_come(browser):
    events = browser.module(
        "sse.js",
        """const text = 'id: 7\\nevent: operation\\ndata: {"a":\\ndata: 1}\\n\\n: nothing\\n\\ndata: é\\r\\n\\r\\ndata: cut off';
        const bytes = new TextEncoder().encode(text);
        const body = new ReadableStream({ start(controller) { for (const byte of bytes) controller.enqueue(Uint8Array.of(byte)); controller.close(); } });
        return (async () => { const found = []; for await (const event of module.eventsOf({ body })) found.push([event.id ?? null, event.event, event.data]); return found; })();""",
    )
    assert events == [["7", "operation", '{"a":\n1}'], [None, "message", "é"]]


def test_pages_of_operations_stay_without_a_gap(browser):
    told = browser.module(
        "operation-pages.js",
        """const page = (from, to, next) => ({ operations: Array.from({ length: from - to + 1 }, (_, index) => ({ operation: `op${from - index}` })), next });
        const pages = new module.OperationPages();
        const told = [];
        const tell = () => told.push([pages.operations.map((one) => one.operation.slice(2)).join(" "), pages.next]);
        pages.renew(page(9, 8, "/8")); tell();
        pages.append(page(7, 6, "/6")); tell();
        pages.renew(page(10, 9, "/9")); tell();
        pages.append(page(5, 5)); tell();
        pages.renew(page(20, 19, "/19")); tell();
        return told;""",
    )
    assert told == [["9 8", "/8"], ["9 8 7 6", "/6"], ["10 9 8 7 6", "/6"], ["10 9 8 7 6 5", None], ["20 19", "/19"]]
