// Addresses of pages: what follows the `#`. They can be kept, shared and gone back to; the server knows nothing of them.

/** `["simulations", "pair"]` of `#/simulations/pair`. */
export function currentParts() {
    return location.hash
        .replace(/^#\/?/, "")
        .split("/")
        .filter((part) => part !== "")
        .map(decoded);
}

export function link(...parts) {
    return `#/${parts.map(encodeURIComponent).join("/")}`;
}

/** The first route that fits, with what its `:names` stand for. */
export function match(routes, parts) {
    for (const [pattern, page] of routes) {
        const words = pattern.split("/").filter((word) => word !== "");
        if (words.length !== parts.length) continue;
        if (!words.every((word, index) => word.startsWith(":") || word === parts[index])) continue;
        const named = words.map((word, index) => [word.slice(1), parts[index]]).filter((_, index) => words[index].startsWith(":"));
        return { page, parameters: Object.fromEntries(named) };
    }
    return null;
}

function decoded(part) {
    try {
        return decodeURIComponent(part);
    } catch {
        return part;
    }
}
