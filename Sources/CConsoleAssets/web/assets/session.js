// Who looks at this page, and what this control instance can do beyond what every one can.

import { get, post } from "./api.js";
import { learn } from "./host-clock.js";

const roles = ["view", "operate", "admin"];
let session = null;
let planning = null;

/** Asks anew; tells the host's time, too. */
export async function loadSession() {
    planning = null;
    session = (await ask("/v1/session")) ?? (await ask("/v1/version"));
    return session;
}

/** Whether one may do what needs this role. The server decides; the page only does not offer what it would refuse. */
export function may(role) {
    return !session?.role || roles.indexOf(session.role) >= roles.indexOf(role);
}

/**
 * Whether operations can be planned without being begun. To a control instance that does not know `dryRun`, the same request
 * could be the operation itself. So it is tried out where nothing can happen: one that knows it takes offence at its value
 * before it looks for the simulation.
 */
export function canPlan() {
    planning ??= post("/v1/simulations/no-such-simulation/suspend?dryRun=perhaps", {}).then(
        () => false,
        (problem) => {
            if (problem.isUnreachable || problem.needsSession) planning = null;
            return problem.status === 400;
        },
    );
    return planning;
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
