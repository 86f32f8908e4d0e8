// Instants and durations as people read and write them. Instants are BigInt, nanoseconds since the Unix epoch; durations
// too. Everything is told in UTC: guests' clocks and the host's stand side by side and have to be comparable.

export const SECOND = 1_000_000_000n;
const MILLISECOND = 1_000_000n;

const units = { ns: 1n, us: 1_000n, "µs": 1_000n, ms: MILLISECOND, s: SECOND, m: 60n * SECOND, h: 3600n * SECOND, d: 86_400n * SECOND };

function floorDivide(dividend, divisor) {
    const quotient = dividend / divisor;
    return dividend % divisor < 0n ? quotient - 1n : quotient;
}

/** The date and time of an instant, with so many digits of a second. */
function parts(ns, digits) {
    const seconds = floorDivide(ns, SECOND);
    const date = new Date(Number(seconds) * 1000);
    if (Number.isNaN(date.getTime())) return { date: `${ns} ns`, time: "" };
    const fraction = String(ns - seconds * SECOND).padStart(9, "0").slice(0, digits);
    const [day, clock] = date.toISOString().slice(0, -5).split("T");
    return { date: day, time: digits > 0 ? `${clock}.${fraction}` : clock };
}

export function formatInstant(ns, digits = 3) {
    const { date, time } = parts(ns, digits);
    return `${date} ${time}`.trim();
}

export function formatTimeOfDay(ns, digits = 3) {
    return parts(ns, digits).time;
}

/** ISO 8601, exact, as a `<time>` element and the command line want it. */
export function isoInstant(ns) {
    const { date, time } = parts(ns, 9);
    return `${date}T${time}Z`;
}

/** A duration in the unit that leaves one to four digits before the point: `569.5 µs`, `14.2 s`, `3 d 4 h`. */
export function formatDuration(ns) {
    const sign = ns < 0n ? "−" : "";
    const size = ns < 0n ? -ns : ns;
    if (size < 1_000n) return `${sign}${size} ns`;
    if (size < MILLISECOND) return `${sign}${short(Number(size) / 1e3)} µs`;
    if (size < SECOND) return `${sign}${short(Number(size) / 1e6)} ms`;
    if (size < 60n * SECOND) return `${sign}${short(Number(size) / 1e9)} s`;
    const seconds = size / SECOND;
    const split = [[seconds / 86_400n, "d"], [(seconds / 3600n) % 24n, "h"], [(seconds / 60n) % 60n, "min"], [seconds % 60n, "s"]];
    const first = split.findIndex(([count]) => count > 0n);
    return sign + split.slice(first, first + 2).filter(([count]) => count > 0n).map(([count, unit]) => `${count} ${unit}`).join(" ");
}

/** With its sign: `+569.5 µs`. */
export function formatOffset(ns) {
    return ns < 0n ? formatDuration(ns) : `+${formatDuration(ns)}`;
}

export function formatAgo(ns, now) {
    const age = now - ns;
    if (age < 0n) return `in ${formatDuration(-age)}`;
    if (age < SECOND) return "just now";
    return age < 60n * SECOND ? `${age / SECOND} s ago` : `${formatDuration(age)} ago`;
}

/** `250us`, `1.5s`, `3h`, also several in a row (`1h30m`): nanoseconds; null when it is none. */
export function parseDuration(text) {
    const compact = text.replaceAll(" ", "");
    if (!/^(\d+(\.\d+)?(ns|us|µs|ms|s|m|h|d))+$/.test(compact)) return null;
    let total = 0n;
    for (const [, whole, fraction = "", unit] of compact.matchAll(/(\d+)(?:\.(\d+))?(ns|us|µs|ms|s|m|h|d)/g)) {
        total += BigInt(whole) * units[unit] + (BigInt(fraction.padEnd(9, "0").slice(0, 9)) * units[unit]) / SECOND;
    }
    return total;
}

/** ISO 8601 in UTC (`2026-12-31T23:59:50.5`, with or without `Z`), or with its own zone: nanoseconds; null when it is none. */
export function parseInstant(text) {
    const match = /^(\d{4}-\d\d-\d\d)[T ](\d\d:\d\d)(?::(\d\d)(?:\.(\d{1,9}))?)?(Z|[+-]\d\d:?\d\d)?$/i.exec(text.trim());
    if (!match) return null;
    const [, date, minutes, seconds = "00", fraction = "", zone = "Z"] = match;
    const milliseconds = Date.parse(`${date}T${minutes}:${seconds}${zone.replace(/^([+-]\d\d)(\d\d)$/, "$1:$2").toUpperCase()}`);
    if (Number.isNaN(milliseconds)) return null;
    return BigInt(milliseconds) * MILLISECOND + BigInt(fraction.padEnd(9, "0"));
}

function short(number) {
    return number >= 100 ? number.toFixed(0) : number >= 10 ? number.toFixed(1) : number.toFixed(2);
}
