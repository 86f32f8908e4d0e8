/** How long to wait before the next attempt: longer each time, and never quite the same as other pages do. */
export class Backoff {
    constructor({ first = 500, limit = 10_000 } = {}) {
        Object.assign(this, { first, limit });
        this.reset();
    }

    reset() {
        this.next = this.first;
    }

    /** Resolves after the wait, or at once when the signal is given. */
    async wait(signal) {
        const milliseconds = this.next * (0.75 + Math.random() / 2);
        this.next = Math.min(this.next * 2, this.limit);
        await sleep(milliseconds, signal);
    }
}

export function sleep(milliseconds, signal) {
    return new Promise((resolve) => {
        if (signal?.aborted) return resolve();
        const timer = setTimeout(done, milliseconds);
        function done() {
            clearTimeout(timer);
            signal?.removeEventListener("abort", done);
            resolve();
        }
        signal?.addEventListener("abort", done);
    });
}
