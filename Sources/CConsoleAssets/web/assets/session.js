// Who looks at this page, and what this control instance can do beyond what every one can.

import { get } from "./api.js";
import { learn } from "./host-clock.js";

const roles = ["view", "operate", "admin"];
let session = null;

/** Asks anew; tells the host's time, too. */
export async function loadSession() {
    session = (await ask("/v1/session")) ?? (await ask("/v1/version"));
    return session;
}

/** Whether one may do what needs this role. The server decides; the page only does not offer what it would refuse. */
export function may(role) {
    return !session?.role || roles.indexOf(session.role) >= roles.indexOf(role);
}

/**
 * Whether `dryRun` can be asked for. It came together with sessions that have a role; to an older control instance the same
 * request would be the operation itself, so it is never tried out.
 */
export function canPlan() {
    return session?.role !== undefined;
}

async function ask(path) {
    const begun = performance.now();
    try {
        const answer = await get(path);
        if (answer?.nowNs !== undefined) learn(answer.nowNs, performance.now() - begun);
        return answer;
    } catch {
        // Older, gone, or not to be seen by this browser: the feed tells what is the matter.
        return null;
    }
}
