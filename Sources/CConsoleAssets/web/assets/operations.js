// Operations belong to the control instance: a page follows one, may lose it, and finds it again.

import { get, open, path } from "./api.js";
import { Backoff } from "./backoff.js";
import { parse } from "./json.js";
import { eventsOf } from "./sse.js";

/** Yields an operation's events, its `result` last, across lost connections; ends early only when the signal is given. */
export async function* follow(operation, signal) {
    const backoff = new Backoff({ first: 300, limit: 5_000 });
    while (!signal.aborted) {
        try {
            const response = await open("GET", path(["operations", operation, "events"]), { accept: "text/event-stream", signal });
            backoff.reset();
            for await (const { data } of eventsOf(response)) {
                const event = parse(data);
                yield event;
                if (event.event === "result") return;
            }
            // Cut off: the daemon ended. The next one finishes the operation or undoes it, and knows how it ended.
            const detail = await get(path(["operations", operation]), { signal });
            if (detail.report) return yield { ...detail.report, event: "result" };
        } catch (problem) {
            if (signal.aborted) return;
            if (!problem.isUnreachable && !problem.needsSession) throw problem;
        }
        await backoff.wait(signal);
    }
}

/** Whether calling an operation off can still undo it. */
export function canCancel(phase) {
    return ["preparing", "prepared", "armed", "happened"].includes(phase);
}
