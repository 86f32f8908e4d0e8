// A page that is loaded, drawn, and kept in step with what changes.

import { h, render } from "./dom.js";
import { problemNotice } from "./notices.js";

/** States of machines have no events of their own (a QEMU may just die): so often everything is looked at anyway. */
const SLOW = 8_000;

/**
 * @param context what main.js gives to pages: `outlet`, `feed`, `signal`
 * @param load promises what the page shows
 * @param draw makes elements of that
 * @param concerns tells whether a change matters here
 * @returns a function that loads and draws again, now
 */
export function liveView({ outlet, feed, signal }, { load, draw, concerns = () => true }) {
    let loading = null;
    let stale = false;
    let shown = false;

    async function refresh() {
        if (loading) {
            stale = true;
            return loading;
        }
        loading = (async () => {
            do {
                stale = false;
                await once();
            } while (stale && !signal.aborted);
        })();
        await loading;
        loading = null;
    }

    async function once() {
        try {
            const data = await load();
            if (signal.aborted) return;
            render(outlet, ...[draw(data)].flat());
            shown = true;
        } catch (problem) {
            if (signal.aborted) return;
            // What cannot be reached right now stays on the page as it was: the header says that it is old.
            const passing = problem.isUnreachable || problem.needsSession;
            if (!(passing && shown)) render(outlet, problemNotice(problem));
            if (!(passing || problem.status)) console.error(problem);
            if (!passing) shown = false;
        }
    }

    render(outlet, h("p", { class: "loading", role: "status" }, "Loading…"));
    feed.onChange((change) => {
        // Stages come by the dozen, and what they are of is followed by whoever shows them.
        if (change.step === "stage") return;
        if (change.kind === "reset" || concerns(change)) refresh();
    }, signal);
    const timer = setInterval(() => {
        if (!document.hidden) refresh();
    }, SLOW);
    signal.addEventListener("abort", () => clearInterval(timer));
    refresh();
    return refresh;
}
