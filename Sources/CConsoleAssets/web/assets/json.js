// JSON whose instants stay exact: nanoseconds since the epoch exceed what a number holds (2^53).
// By the API's own rule keys of instants and durations end in "Ns"; their integers are read as BigInt.

const instant = /"(?:[^"\\]|\\.)*"(?:(\s*:\s*)(-?\d+)(?=\s*[,}\]]))?/g;

/** Parses JSON; every integer under a key that ends in `Ns` is a BigInt. */
export function parse(text) {
    // Strings are consumed whole, so that nothing inside of one is taken for a key.
    const marked = text.replace(instant, (match, colon, digits) => {
        if (digits === undefined) return match;
        const key = match.slice(0, match.length - colon.length - digits.length);
        return key.endsWith('Ns"') ? `${key}${colon}"${digits}"` : match;
    });
    return JSON.parse(marked, (key, value) =>
        key.endsWith("Ns") && typeof value === "string" && /^-?\d+$/.test(value) ? BigInt(value) : value,
    );
}

/** Writes JSON; a BigInt becomes an integer, what is undefined is left out. */
export function stringify(value) {
    if (typeof value === "bigint") return String(value);
    if (Array.isArray(value)) return `[${value.map(stringify).join(",")}]`;
    if (value === null || typeof value !== "object") return JSON.stringify(value);
    const members = Object.entries(value).filter(([, member]) => member !== undefined);
    return `{${members.map(([key, member]) => `${JSON.stringify(key)}:${stringify(member)}`).join(",")}}`;
}
