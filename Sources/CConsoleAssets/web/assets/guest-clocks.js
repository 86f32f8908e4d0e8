// What guests' clocks read now. A running machine's clock is reckoned on from where it was last seen; a machine that stands
// still has a clock that does.

import { get, path } from "./api.js";
import { h } from "./dom.js";
import { hostNow, learn } from "./host-clock.js";
import { liveDigits, ticking } from "./ticker.js";
import { formatInstant, formatOffset, SECOND } from "./time.js";

/** Differences between clocks smaller than this are steps of the real-time clock. */
const STEP = SECOND;

/**
 * The clock of each machine, by name: `{rtcNs, virtualNs, atNs, runs, source}`, as far as it is known.
 * @param simulation its detail
 * @param operations its newest operations, newest first
 */
export async function guestClocks(simulation, operations, signal) {
    const runs = ["running", "checkpointing", "suspending"].includes(simulation.state);
    const clocks = new Map();
    if (runs) {
        reckoned(simulation, operations, clocks);
        // Reading holds the simulation for a moment, in which others' operations are refused: only what is not known is asked for.
        if (simulation.machines.some((machine) => machine.state === "running" && !clocks.has(machine.name))) await readLive(simulation.simulation, clocks, signal);
    } else if (simulation.state === "suspended" && simulation.checkpoint) {
        await readSaved(simulation.simulation, simulation.checkpoint, clocks, signal);
    }
    return clocks;
}

async function readLive(name, clocks, signal) {
    const begun = performance.now();
    try {
        const report = await get(path(["simulations", name, "clocks"], { pausing: false }), { signal });
        const delay = performance.now() - begun;
        for (const { name: machine, readAtNs, clock } of report.machines) {
            learn(readAtNs, delay);
            if (clock.rtcNs !== undefined) {
                clocks.set(machine, { ...clocks.get(machine), rtcNs: clock.rtcNs, virtualNs: clock.virtualNs ?? clocks.get(machine)?.virtualNs, atNs: clock.atNs, runs: true, source: "read without a pause" });
            }
        }
    } catch (problem) {
        // A simulation that changes its state at this very moment has no clocks to read; it is drawn again soon.
        if (problem.isUnreachable || problem.needsSession || signal?.aborted) throw problem;
    }
}

async function readSaved(name, checkpoint, clocks, signal) {
    try {
        const report = await get(path(["simulations", name, "checkpoints", checkpoint, "clocks"]), { signal });
        for (const { name: machine, clock } of report.machines) {
            clocks.set(machine, { ...clock, runs: false, source: `held in ${name}@${checkpoint}` });
        }
    } catch (problem) {
        if (problem.isUnreachable || problem.needsSession || signal?.aborted) throw problem;
    }
}

/** From the last instant at which machines were seen: what they read then, and have run since. */
function reckoned(simulation, operations, clocks) {
    const last = operations.find((operation) => operation.report?.outcome === "done" && operation.report.machines.length > 0);
    for (const machine of last?.report.machines ?? []) {
        const begun = machine.resumedAtNs ?? (machine.stoppedAtNs !== undefined && machine.pauseNs !== undefined ? machine.stoppedAtNs + machine.pauseNs : undefined);
        const clock = machine.clockAfter ?? machine.clock;
        const base = simulation.spec?.machines?.find((spec) => spec.name === machine.name)?.rtc?.baseNs;
        const rtcNs = clock?.rtcNs ?? (last.kind === "start" && typeof base === "bigint" ? base : undefined);
        if (begun === undefined || rtcNs === undefined) continue;
        clocks.set(machine.name, { rtcNs, virtualNs: clock?.virtualNs, atNs: begun, runs: true, source: "reckoned from its last instant" });
    }
}

export function rtcNow(clock, now) {
    return clock.runs ? clock.rtcNs + (now - clock.atNs) : clock.rtcNs;
}

/** A guest's clock on the page, ticking when it does. */
export function guestClock(clock) {
    if (clock?.rtcNs === undefined) return h("span", { class: "quiet", title: "This machine’s clock is not told while it runs." }, "not told");
    const title = `The guest’s real-time clock, ${clock.source}`;
    if (!clock.runs) return h("span", { class: "clock held", title }, formatInstant(clock.rtcNs, 1));
    return ticking((now) => formatInstant(rtcNow(clock, now), liveDigits()), { class: "clock", title });
}

/** How far a guest's clock is from the host's: `with the host`, `+3 d`. */
export function fromHost(clock) {
    if (clock?.rtcNs === undefined) return "";
    const text = (now) => {
        const difference = rtcNow(clock, now) - now;
        if (difference > -STEP && difference < STEP) return "with the host";
        return `${formatOffset((difference / SECOND) * SECOND)} from the host`;
    };
    return clock.runs ? h("span", { class: "quiet" }, text(hostNow())) : ticking(text, { class: "quiet" });
}
