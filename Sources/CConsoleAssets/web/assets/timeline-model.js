// A simulation's history as lanes: runs, pauses, checkpoints and branches, out of its operations and checkpoints. Pure.

/**
 * @param operations as the API tells them, newest first
 * @param checkpoints oldest first
 * @param simulation its detail
 * @returns `{lanes, spans, points}`. A span is `{kind: "run"|"pause"|"branch", lane, fromLane?, fromNs, toNs, open?}`; a point
 *   `{kind, lane, atNs, checkpoint?, operation?, current?}`
 */
export function historyOf(simulation, operations, checkpoints, nowNs) {
    const history = new History(nowNs);
    for (const event of events(operations, checkpoints)) {
        if (event.checkpoint) history.saved(event.checkpoint);
        else {
            const { operation } = event;
            if (operation.report?.outcome !== "done") history.attempt(operation);
            else if (operation.kind === "start") history.start(operation);
            else if (operation.kind === "resume") history.resume(operation);
            else {
                history.save(operation, checkpoints.find((checkpoint) => checkpoint.checkpoint === operation.checkpoint && checkpoint.instantNs === operation.deadlineNs));
            }
        }
    }
    history.end(simulation.state);
    return history.result();
}

/** Operations by their instants; checkpoints that no known operation made (edited, imported, older) by theirs. */
function events(operations, checkpoints) {
    const finished = operations.filter((operation) => operation.report);
    const saved = new Set(finished.filter((operation) => operation.report.outcome === "done").map((operation) => `${operation.checkpoint} ${operation.deadlineNs}`));
    const known = (checkpoint) => saved.has(`${checkpoint.checkpoint} ${checkpoint.instantNs}`);
    return [
        ...finished.map((operation) => ({ atNs: momentOf(operation), operation })),
        ...checkpoints.filter((checkpoint) => !known(checkpoint)).map((checkpoint) => ({ atNs: checkpoint.instantNs, checkpoint })),
    ].sort((a, b) => (a.atNs < b.atNs ? -1 : a.atNs > b.atNs ? 1 : 0));
}

/** The instant, but of what was called off before it: then it never came. */
function momentOf({ deadlineNs, startedNs, finishedNs, report }) {
    const planned = deadlineNs ?? startedNs;
    return report.outcome !== "done" && finishedNs !== undefined && finishedNs < planned ? finishedNs : planned;
}

class History {
    #now;
    #lanes = 0;
    #spans = [];
    #points = [];
    /** The run that is not over: `{lane, fromNs}`. */
    #run = null;
    /** Where each checkpoint is: `{lane, atNs}`. */
    #places = new Map();
    /** The last thing on each lane. */
    #tips = [];

    constructor(now) {
        this.#now = now;
    }

    start(operation) {
        this.#cut(operation.deadlineNs);
        const lane = this.#newLane();
        this.#run = { lane, fromNs: operation.deadlineNs };
        this.#point({ kind: "start", lane, atNs: operation.deadlineNs, operation });
    }

    save(operation, checkpoint) {
        // A run whose start is not known any more began before everything that is.
        this.#run ??= { lane: this.#newLane(), fromNs: operation.startedNs };
        const { lane } = this.#run;
        const atNs = operation.deadlineNs;
        this.#point({ kind: operation.kind, lane, atNs, operation, checkpoint, name: operation.checkpoint });
        this.#places.set(operation.checkpoint, { lane, atNs });
        if (operation.kind === "suspend") this.#close(atNs);
    }

    saved(checkpoint) {
        const parent = this.#places.get(checkpoint.parent);
        const lane = parent && this.#tips[parent.lane] === parent.atNs ? parent.lane : this.#newLane();
        if (parent) this.#link(parent, lane, checkpoint.instantNs, lane === parent.lane ? "pause" : "branch");
        this.#point({ kind: "edited", lane, atNs: checkpoint.instantNs, checkpoint, name: checkpoint.checkpoint });
        this.#places.set(checkpoint.checkpoint, { lane, atNs: checkpoint.instantNs });
    }

    resume(operation) {
        const atNs = operation.deadlineNs;
        this.#cut(atNs);
        const from = operation.report.origin ? undefined : this.#places.get(operation.checkpoint);
        const goesOn = from && this.#tips[from.lane] === from.atNs;
        const lane = goesOn ? from.lane : this.#newLane();
        if (from) this.#link(from, lane, atNs, goesOn ? "pause" : "branch");
        this.#run = { lane, fromNs: atNs };
        this.#point({ kind: "resume", lane, atNs, operation, name: operation.checkpoint });
    }

    /** What came to nothing is marked where the simulation stood. */
    attempt(operation) {
        const lane = this.#run?.lane ?? Math.max(0, this.#lanes - 1);
        if (this.#lanes === 0) this.#newLane();
        this.#points.push({ kind: "attempt", lane, atNs: momentOf(operation), operation });
    }

    end(state) {
        if (!this.#run) return;
        const runs = ["running", "suspending", "checkpointing"].includes(state);
        if (runs) this.#spans.push({ kind: "run", ...this.#run, toNs: this.#now, open: true });
        else this.#cut(this.#now);
    }

    result() {
        return { lanes: this.#lanes, spans: this.#spans, points: this.#points };
    }

    #newLane() {
        this.#lanes += 1;
        return this.#lanes - 1;
    }

    #point(point) {
        this.#points.push(point);
        this.#tips[point.lane] = point.atNs;
    }

    #link(from, lane, toNs, kind) {
        this.#spans.push({ kind, lane, fromLane: from.lane, fromNs: from.atNs, toNs });
    }

    #close(toNs) {
        this.#spans.push({ kind: "run", ...this.#run, toNs });
        this.#run = null;
    }

    /** A run that ended without an instant (it was taken down, or died): nobody knows when. */
    #cut(beforeNs) {
        if (!this.#run) return;
        const last = this.#tips[this.#run.lane] ?? this.#run.fromNs;
        this.#spans.push({ kind: "run", ...this.#run, toNs: last, lostBeforeNs: beforeNs });
        this.#run = null;
    }
}

/**
 * Where instants are drawn, from 0 to 1. By `true` time, seconds of work disappear beside nights of rest; `even`, each interval
 * gets room by the logarithm of its length.
 */
export function timeScale(instants, mode) {
    const sorted = [...new Set(instants)].sort((a, b) => (a < b ? -1 : a > b ? 1 : 0));
    if (sorted.length < 2) return { at: () => 0.5, sorted };
    const weight = (ns) => (mode === "true" ? Number(ns) : 1 + Math.log10(1 + Number(ns) / 1e8));
    const places = [0];
    for (let index = 1; index < sorted.length; index += 1) places.push(places[index - 1] + weight(sorted[index] - sorted[index - 1]));
    const whole = places.at(-1);
    const at = (ns) => {
        if (ns <= sorted[0]) return 0;
        if (ns >= sorted.at(-1)) return 1;
        let index = sorted.findIndex((instant) => instant > ns) - 1;
        const share = Number(ns - sorted[index]) / Number(sorted[index + 1] - sorted[index]);
        return (places[index] + share * (places[index + 1] - places[index])) / whole;
    };
    return { at, sorted };
}
