// Server-sent events over fetch: unlike EventSource it tells why a stream was refused, and lets go at once.

/** Yields `{id, event, data}` for each event of a response. */
export async function* eventsOf(response) {
    const reader = response.body.pipeThrough(new TextDecoderStream()).getReader();
    let pending = "";
    let event = blank();
    try {
        for (;;) {
            // A connection that breaks is a stream that ends: whoever listens has to ask again in either case.
            const { done, value } = await reader.read().catch(() => ({ done: true }));
            if (done) return;
            const lines = (pending + value).split("\n");
            pending = lines.pop();
            for (const line of lines.map((line) => line.replace(/\r$/, ""))) {
                if (line !== "") take(line, event);
                else if (event.data.length > 0) {
                    yield { id: event.id, event: event.event, data: event.data.join("\n") };
                    event = blank();
                } else event = blank();
            }
        }
    } finally {
        // Whoever stops listening ends the request.
        reader.cancel().catch(() => {});
    }
}

function blank() {
    return { id: undefined, event: "message", data: [] };
}

function take(line, event) {
    const colon = line.indexOf(":");
    if (colon === 0) return;
    const field = colon < 0 ? line : line.slice(0, colon);
    const value = colon < 0 ? "" : line.slice(colon + 1).replace(/^ /, "");
    if (field === "data") event.data.push(value);
    else if (field === "id") event.id = value;
    else if (field === "event") event.event = value;
}
