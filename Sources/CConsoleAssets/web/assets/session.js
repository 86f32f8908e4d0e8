// Who looks at this page, and what this control instance can do beyond what every one can.

import { get } from "./api.js";
import { learn } from "./host-clock.js";

const roles = ["view", "operate", "admin"];
let session = null;

/** Asks anew; tells the host's time too. */
export async function loadSession() {
    const begun = performance.now();
    try {
        session = await get("/v1/session");
        if (session?.nowNs !== undefined) learn(session.nowNs, performance.now() - begun);
    } catch (problem) {
        if (!problem.isUnreachable && !problem.needsSession) session = null;
    }
    return session;
}

/** Whether one may do what needs this role. The server decides; the page only does not offer what it would refuse. */
export function may(role) {
    return !session?.role || roles.indexOf(session.role) >= roles.indexOf(role);
}

/**
 * Whether `dryRun` can be asked for. It came together with sessions; to an older control instance the same request would be
 * the operation itself, so it is never tried out.
 */
export function canPlan() {
    return session !== null;
}
