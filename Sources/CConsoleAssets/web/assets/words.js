// What states, phases, stages and outcomes are called on the page, and what is drawn beside them.

import { h } from "./dom.js";

/** Of simulations and machines. */
const tones = {
    running: "run", ready: "run", done: "run",
    suspended: "hold", paused: "hold", drained: "hold", cancelled: "hold",
    starting: "busy", suspending: "busy", checkpointing: "busy", resuming: "busy", loading: "busy", saving: "busy", active: "busy",
    down: "off",
    unknown: "bad", dead: "bad", unreachable: "bad", failed: "bad", missed: "bad", corrupt: "bad", unsynchronised: "bad", refused: "bad",
};

export function badge(state, text = state, properties = {}) {
    return h("span", { ...properties, class: `badge ${tones[state] ?? "off"}` }, h("span", { class: "dot", "aria-hidden": "true" }), text);
}

export const kinds = { start: "Start", suspend: "Suspend", checkpoint: "Checkpoint", resume: "Resume" };

export const outcomes = {
    done: "Done",
    failed: "Failed: everything is as before",
    refused: "Refused: nothing happened",
    missed: "The instant was missed: everything goes on as before",
    unknown: "The outcome is not known: somebody has to look",
    corrupt: "The checkpoint is corrupt or does not fit",
    unsynchronised: "The hosts’ clocks are not synchronised well enough",
    cancelled: "Called off: everything is as before",
};

/** What one can do after an operation that did not go well. */
export const advice = {
    failed: "Read the reasons below, mend what they name, and try again: nothing has been lost.",
    refused: "Mend what the reasons name, and try again.",
    missed: "Choose a later instant, or none: then the earliest that suits every host is taken.",
    unknown: "Ask the hosts again. If one of them is gone for good, decide whether what was under way stays or is undone.",
    corrupt: "Verify the checkpoint to see which of its files are damaged; its parents and children may be whole.",
    unsynchronised: "Let a time service (chrony, systemd-timesyncd) discipline the clocks of all hosts, and look at Hosts.",
    cancelled: "",
};

export const phases = [
    ["preparing", "Prepare", "every hypervisor is asked whether it can"],
    ["armed", "Armed", "every hypervisor waits for the instant by itself"],
    ["happened", "Instant", "the commands have left, the work is being done"],
    ["deciding", "Decide", "all or none"],
    ["finished", "Done", ""],
];

/** `prepared` is a moment between two of them. */
export function phaseIndex(phase) {
    const shown = phase === "prepared" ? "armed" : phase;
    return phases.findIndex(([name]) => name === shown);
}

const clockKinds = { rtc: "real-time clock", paravirtual: "paravirtual clock", virtual: "virtual clock", counter: "counter", tod: "time of day" };

export function clockKind(kind) {
    return clockKinds[kind] ?? kind;
}

export const policies = {
    continue: ["as it was", "The guest reads the same time that it read when it stopped."],
    host: ["catch up with the host", "As if the guest had run all the while."],
    offset: ["moved by", "As it was, and so much later or earlier."],
    at: ["set to", "The guest reads that time at the instant."],
};

export function plural(count, one, many = `${one}s`) {
    return `${count} ${count === 1 ? one : many}`;
}
