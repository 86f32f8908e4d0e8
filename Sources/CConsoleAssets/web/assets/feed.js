// What changes, as the control instance tells it: one stream of events for the whole page. Whoever lost the connection is
// told to look at everything anew.

import { open } from "./api.js";
import { Backoff } from "./backoff.js";
import { parse } from "./json.js";
import { eventsOf } from "./sse.js";

/** Longer out of sight than this, a page does not trust its connection any more. */
const NAP = 30_000;

/** `connecting`, `live`, `lost` or `signed-out`. */
export class Feed {
    state = "connecting";
    #changes = new Set();
    #states = new Set();
    #backoff = new Backoff();
    #connection = new AbortController();
    #lastID;

    start() {
        this.#run();
        addEventListener("online", () => this.reconnect());
        let hiddenAt = null;
        document.addEventListener("visibilitychange", () => {
            if (document.hidden) hiddenAt = performance.now();
            else if (this.state !== "live" || performance.now() - hiddenAt > NAP) this.reconnect();
        });
    }

    /** Calls back with `{kind, …}` for each change until the signal is given; `reset` means that anything may have changed. */
    onChange(listener, signal) {
        this.#changes.add(listener);
        signal.addEventListener("abort", () => this.#changes.delete(listener));
    }

    onState(listener) {
        this.#states.add(listener);
        listener(this.state);
    }

    /** Lets the connection go, and makes another at once. */
    reconnect() {
        this.#backoff.reset();
        this.#connection.abort();
    }

    /** Some request was refused for want of a session: so is everything else. */
    signedOut() {
        if (this.state === "signed-out") return;
        this.#enter("signed-out");
        this.#connection.abort();
    }

    async #run() {
        for (;;) {
            this.#connection = new AbortController();
            const { signal } = this.#connection;
            try {
                await this.#listen(signal);
            } catch (problem) {
                if (!signal.aborted) this.#enter(problem.needsSession ? "signed-out" : "lost");
            }
            if (!signal.aborted) {
                if (this.state === "live") this.#enter("lost");
                await this.#backoff.wait(signal);
            }
        }
    }

    async #listen(signal) {
        const headers = this.#lastID === undefined ? {} : { "Last-Event-ID": this.#lastID };
        const response = await open("GET", "/v1/events", { accept: "text/event-stream", headers, signal });
        this.#backoff.reset();
        this.#enter("live");
        this.#tell({ kind: "reset" });
        for await (const { id, event, data } of eventsOf(response)) {
            if (id !== undefined) this.#lastID = id;
            this.#tell({ ...content(data), kind: event });
        }
    }

    #enter(state) {
        if (state === this.state) return;
        this.state = state;
        for (const listener of this.#states) listener(state);
    }

    #tell(change) {
        for (const listener of this.#changes) listener(change);
    }
}

function content(data) {
    try {
        const value = parse(data);
        return typeof value === "object" && value !== null ? value : {};
    } catch {
        return {};
    }
}
