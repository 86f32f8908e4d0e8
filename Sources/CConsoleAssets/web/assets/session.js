// Who looks at this page, and what they may do.

import { get } from "./api.js";
import { learn } from "./host-clock.js";

const roles = ["view", "operate", "admin"];
let session = null;

/** Asks anew; tells the host's time, too. */
export async function loadSession() {
    const begun = performance.now();
    try {
        session = await get("/v1/session");
        learn(session.nowNs, performance.now() - begun);
    } catch {
        // Gone, or not for this browser any more: the feed tells what is the matter.
        session = null;
    }
    return session;
}

/** Whether one may do what needs this role. The server decides; the page only does not offer what it would refuse. */
export function may(role) {
    return !session?.role || roles.indexOf(session.role) >= roles.indexOf(role);
}
