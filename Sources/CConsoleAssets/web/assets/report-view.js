// What an operation reports: its outcome in words, when each machine stopped or went on, clocks, stages.

import { h, island } from "./dom.js";
import { formatBytes } from "./bytes.js";
import { notice, noteList, reasonList } from "./notices.js";
import { link } from "./router.js";
import { SpreadPlot, stampsOf } from "./spread-plot.js";
import { formatDuration, formatInstant, formatOffset, formatTimeOfDay, isoInstant } from "./time.js";
import { advice, outcomes, plural } from "./words.js";

const plots = new WeakMap();

export function reportView(report) {
    return [
        outcomeNotice(report),
        report.deadlineNs !== undefined && facts(report),
        stampsOf(report).length > 0 && spreadOf(report),
        report.machines.length > 0 && machineTable(report),
        report.stages.length + report.machines.flatMap((machine) => machine.stages).length > 0 && stagesOf(report),
    ].filter(Boolean);
}

/** The plot of a report, the same as long as the report is. */
export function spreadOf(report) {
    if (!plots.has(report)) plots.set(report, new SpreadPlot(report));
    return island(`spread-${report.operation}`, plots.get(report));
}

export function outcomeNotice(report) {
    const level = { done: "ok", cancelled: "notice" }[report.outcome] ?? "problem";
    const notes = [...report.notes, ...report.machines.flatMap((machine) => machine.notes.map((note) => `${machine.name}: ${note}`))];
    return h(
        "div",
        { class: "outcome", "data-outcome": report.outcome, key: `outcome-${report.operation}` },
        notice(
            level,
            report.outcome === "done" ? sentenceOf(report) : outcomes[report.outcome] ?? report.outcome,
            report.reasons.length > 0 && reasonList(report.reasons),
            level === "problem" && h("p", {}, advice[report.outcome]),
            noteList(notes),
        ),
    );
}

/** What was done, in a sentence. */
export function sentenceOf(report) {
    const machines = plural(report.machines.length, "machine");
    const at = `${report.simulation}@${report.checkpoint}`;
    if (report.kind === "suspend") return `${machines} stopped together and saved as ${at}; their processes have ended.`;
    if (report.kind === "checkpoint") return `${machines} stopped together, saved as ${at}, and run on.`;
    if (report.kind === "start") return `${machines} started together.`;
    const from = report.origin ? `${report.origin.simulation}@${report.origin.checkpoint}` : at;
    const kept = report.kept ? ` What ran before is kept as ${report.simulation}@${report.kept}.` : "";
    return `${machines} went on together from ${from}.${kept}`;
}

function facts(report) {
    const fact = (name, value) => value !== undefined && value !== null && h("div", {}, h("dt", {}, name), h("dd", {}, value));
    const late = report.machines.map((machine) => machine.latenessNs).filter((late) => late !== undefined);
    return h(
        "dl",
        { class: "facts" },
        fact("Instant, UTC", h("time", { datetime: isoInstant(report.deadlineNs), class: "mono" }, formatInstant(report.deadlineNs, 6))),
        fact("Spread", report.spreadNs !== undefined ? formatDuration(report.spreadNs) : undefined),
        fact("Latest machine", late.length > 0 ? formatOffset(late.reduce((a, b) => (b > a ? b : a))) : undefined),
        fact("Clock error", report.clockErrorBoundNs === null || report.clockErrorBoundNs === undefined ? "not known" : `± ${formatDuration(report.clockErrorBoundNs)}`),
        fact("Clock policy", report.policy ? `${report.policy}${report.scope === "all" ? ", all clocks" : ""}` : undefined),
        fact("Took", report.finishedNs !== undefined ? formatDuration(report.finishedNs - report.startedNs) : undefined),
        report.checkpoint && fact("Checkpoint", h("a", { href: link("simulations", report.origin?.simulation ?? report.simulation, "checkpoints", report.checkpoint) }, report.checkpoint)),
    );
}

function machineTable(report) {
    const resumes = report.kind === "resume";
    const saves = report.kind === "suspend" || report.kind === "checkpoint";
    const columns = [
        ["Machine", (machine) => machine.name, "row"],
        [saves ? "Stopped at" : "Went on at", (machine) => time(machine.stoppedAtNs ?? machine.resumedAtNs)],
        ["Late by", (machine) => (machine.latenessNs === undefined ? "–" : formatOffset(machine.latenessNs)), "number"],
        report.kind === "checkpoint" && ["Stood still", (machine) => (machine.pauseNs === undefined ? "–" : formatDuration(machine.pauseNs)), "number"],
        report.machines.some((machine) => machine.ram) && ["RAM", (machine) => (machine.ram ? `${machine.ram.way}, ${formatBytes(machine.ram.bytes)}${machine.ram.isView ? " (view)" : ""}` : "–")],
        resumes && ["Clock before", (machine) => rtc(machine.clockBefore)],
        resumes && ["Clock after", (machine) => rtc(machine.clockAfter)],
        saves && ["Clock", (machine) => rtc(machine.clock)],
        ["Virtual clock", (machine) => virtual(machine.clockAfter ?? machine.clock), "number"],
    ].filter(Boolean);
    return h(
        "div",
        { class: "scroll", tabindex: "0", role: "region", "aria-label": "Machines" },
        h(
            "table",
            { class: "report" },
            h("thead", {}, h("tr", {}, columns.map(([head, , kind]) => h("th", { scope: "col", class: kind === "number" ? "number" : null }, head)))),
            h("tbody", {}, report.machines.map((machine) => h("tr", { key: machine.name }, columns.map(([, value, kind]) =>
                kind === "row" ? h("th", { scope: "row" }, value(machine)) : h("td", { class: kind ?? null }, value(machine)),
            )))),
        ),
    );
}

function time(ns) {
    return ns === undefined ? "–" : h("time", { class: "mono", datetime: isoInstant(ns) }, formatTimeOfDay(ns, 6));
}

function rtc(clock) {
    return clock?.rtcNs === undefined ? "–" : h("span", { class: "clock" }, formatInstant(clock.rtcNs, 3));
}

function virtual(clock) {
    return clock?.virtualNs === undefined ? "–" : formatDuration(clock.virtualNs);
}

/** Every stage as a bar on one axis of time. */
export function stagesOf(report) {
    const stages = [...report.stages, ...report.machines.flatMap((machine) => machine.stages.map((stage) => ({ machine: machine.name, ...stage })))];
    return h(
        "details",
        { class: "stages-box" },
        h("summary", {}, `${stages.length} stages, where the time went`),
        stageBars(stages),
    );
}

export function stageBars(stages) {
    const sorted = [...stages].sort((a, b) => (a.startedNs < b.startedNs ? -1 : a.startedNs > b.startedNs ? 1 : 0));
    if (sorted.length === 0) return null;
    const first = sorted[0].startedNs;
    const last = sorted.reduce((end, stage) => (stage.startedNs + stage.durationNs > end ? stage.startedNs + stage.durationNs : end), first + 1n);
    const share = (ns) => `${(Number(ns) / Number(last - first)) * 100}%`;
    return h("ol", { class: "stages" }, sorted.map((stage, index) => h(
        "li",
        { key: `${index}-${stage.machine ?? ""}-${stage.name}` },
        h("span", { class: "stage-name" }, stage.name, stage.machine && h("span", { class: "quiet" }, ` ${stage.machine}`)),
        h("span", { class: "stage-bar", "aria-hidden": "true" }, h("span", { style: { "margin-left": share(stage.startedNs - first), width: share(stage.durationNs) } })),
        h("span", { class: "number" }, formatDuration(stage.durationNs), stage.bytes !== undefined && h("span", { class: "quiet" }, ` ${formatBytes(stage.bytes)}`)),
    )));
}
