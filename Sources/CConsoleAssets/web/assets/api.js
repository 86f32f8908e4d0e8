// The control API, from the page's own origin. What fails is a `Problem` whose message is a sentence.

import { parse, stringify } from "./json.js";

const cookieName = `fermata-csrf-${location.port}`;
const listeners = new Set();

export class Problem extends Error {
    constructor({ status = 0, code = "unknown", detail, reasons = [], exitCode }) {
        super(detail);
        Object.assign(this, { status, code, reasons, exitCode });
    }

    /** Nobody answered, or somebody on the way did in the place of who should. */
    get isUnreachable() {
        return this.status === 0 || [502, 503, 504].includes(this.status);
    }

    get needsSession() {
        return this.status === 401;
    }
}

/** Calls back with each problem that any request ends in, and with null when one succeeds. */
export function onOutcome(listener) {
    listeners.add(listener);
}

export const get = (path, options) => send("GET", path, undefined, options);
export const post = (path, body, options) => send("POST", path, body, options);
export const patch = (path, body) => send("PATCH", path, body);
export const remove = (path) => send("DELETE", path);

/** A path of the API, its parts escaped. */
export function path(parts, query = {}) {
    const pairs = Object.entries(query).filter(([, value]) => value !== undefined);
    const suffix = pairs.length > 0 ? `?${new URLSearchParams(pairs)}` : "";
    return `/v1/${parts.map(encodeURIComponent).join("/")}${suffix}`;
}

/** The response as it comes, for streams. Throws a `Problem` for whatever is no success. */
export async function open(method, path, { body, accept = "application/json", headers = {}, signal } = {}) {
    const sent = { Accept: accept, ...headers };
    if (method !== "GET") sent["X-Fermata-CSRF"] = csrfToken();
    if (body !== undefined) sent["Content-Type"] ??= "application/json";
    let response;
    try {
        response = await fetch(path, { method, headers: sent, body, signal, credentials: "same-origin", cache: "no-store" });
    } catch (error) {
        if (signal?.aborted) throw error;
        throw tell(new Problem({ code: "daemon-unreachable", detail: "The control instance does not answer. It may have ended: `fermata serve` starts it, and this page comes back by itself." }));
    }
    if (!response.ok) throw tell(await problem(response));
    tell(null);
    return response;
}

async function send(method, path, value, { signal } = {}) {
    const response = await open(method, path, { body: value === undefined ? undefined : stringify(value), signal });
    const text = await response.text();
    return text === "" ? null : parse(text);
}

async function problem(response) {
    const text = await response.text().catch(() => "");
    try {
        return new Problem({ ...parse(text), status: response.status });
    } catch {
        return new Problem({ status: response.status, detail: `The control instance answered ${response.status} ${response.statusText}.` });
    }
}

function csrfToken() {
    const pair = document.cookie.split("; ").find((cookie) => cookie.startsWith(`${cookieName}=`));
    return pair?.slice(cookieName.length + 1) ?? "";
}

function tell(outcome) {
    for (const listener of listeners) listener(outcome);
    return outcome;
}
