// One simulation: its machines and their clocks, its timeline, and each instant's stamps.

import { get, path } from "../api.js";
import { checkpointAction, cloneAction, downAction, resumeAction, rewindAction, startAction, suspendAction } from "../actions.js";
import { formatBytes } from "../bytes.js";
import { h, island, render } from "../dom.js";
import { fromHost, guestClock, guestClocks } from "../guest-clocks.js";
import { hostNow } from "../host-clock.js";
import { icon } from "../icons.js";
import { labelTags } from "../labels.js";
import { notice, reasonList } from "../notices.js";
import { outcomeNotice, spreadOf } from "../report-view.js";
import { link } from "../router.js";
import { may } from "../session.js";
import { stampsOf } from "../spread-plot.js";
import { liveDigits, ticking } from "../ticker.js";
import { formatAgo, formatDuration, formatInstant } from "../time.js";
import { Timeline } from "../timeline.js";
import { liveView } from "../view.js";
import { badge, kinds } from "../words.js";

export function simulationPage(context, { simulation }) {
    context.setTitle(simulation);
    const instant = { element: h("div", { class: "instant", "aria-live": "polite" }) };
    const timeline = new Timeline((point) => drawInstant(instant.element, simulation, point));
    const parts = { timeline, instant };
    const reports = new Map();
    const refresh = liveView(context, {
        load: () => load(simulation, reports, context.signal),
        draw: (data) => draw(data, parts, () => refresh()),
        concerns: (change) => change.simulation === undefined || change.simulation === simulation,
    });
}

async function load(name, reports, signal) {
    const [simulation, { checkpoints, storage }, { operations }] = await Promise.all([
        get(path(["simulations", name]), { signal }),
        get(path(["simulations", name, "checkpoints"]), { signal }),
        get(path(["operations"], { simulation: name }), { signal }),
    ]);
    // A report that is known stays the same object: what is drawn of it, and zoomed into, stays too.
    for (const operation of operations) {
        if (operation.report) operation.report = reports.get(operation.operation) ?? reports.set(operation.operation, operation.report).get(operation.operation);
    }
    return { simulation, checkpoints, storage, operations, clocks: await guestClocks(simulation, operations, signal) };
}

function draw({ simulation, checkpoints, storage, operations, clocks }, { timeline, instant }, refresh) {
    const name = simulation.simulation;
    timeline.update(simulation, operations, checkpoints);
    drawInstant(instant.element, name, timeline.selected);
    return [
        h(
            "div",
            { class: "page-head" },
            h(
                "div",
                {},
                h("ol", { class: "crumbs" }, h("li", {}, h("a", { href: link() }, "Simulations"))),
                h("h1", {}, name, badge(simulation.state, simulation.state, { id: "state" })),
                h("p", { class: "lead" }, where(simulation)),
            ),
            may("operate") && h("div", { class: "page-actions", role: "group", "aria-label": "Actions" }, actions(simulation, checkpoints, refresh)),
        ),
        simulation.problems.length > 0 && notice("problem", "Not all is well", reasonList(simulation.problems)),
        simulation.state === "unknown" && simulation.operation && notice("problem", "The outcome of an operation is not known", h("p", {}, h("a", { href: link("operations", simulation.operation) }, "Look at it, and ask the hosts again or decide it"))),
        machinesCard(simulation, clocks),
        triggersCard(simulation),
        island("timeline", timeline),
        island("instant", instant),
        checkpointsCard(name, checkpoints, storage),
    ].filter(Boolean);
}

function where(simulation) {
    const words = [];
    if (simulation.operation) words.push(h("a", { href: link("operations", simulation.operation) }, "an operation is under way"));
    if (simulation.checkpoint) {
        words.push([simulation.state === "suspended" ? "held at " : "on from ", h("a", { href: link("simulations", simulation.simulation, "checkpoints", simulation.checkpoint) }, simulation.checkpoint)]);
    }
    if (simulation.origin) words.push(`a clone of ${simulation.origin.simulation}@${simulation.origin.checkpoint}`);
    words.push(ticking((now) => `made ${formatAgo(simulation.createdNs, now)}`));
    return words.flatMap((word, index) => (index > 0 ? [" · ", word] : [word]));
}

function actions(simulation, checkpoints, refresh) {
    const button = (verb, sign, label, run, tone = "") => h("button", { type: "button", class: tone, key: verb, "data-verb": verb, on: { click: run } }, icon(sign), label);
    const { state } = simulation;
    const some = checkpoints.length > 0;
    return [
        state === "running" && button("suspend", "pause", "Suspend", () => suspendAction(simulation, refresh), "primary"),
        state === "suspended" && button("resume", "play", "Resume", () => resumeAction(simulation, refresh, { checkpoints }), "primary"),
        state === "down" && simulation.spec?.machines?.length > 0 && button("start", "play", "Start", () => startAction(simulation, refresh), some ? "" : "primary"),
        state === "down" && some && button("resume", "play", "Resume", () => resumeAction(simulation, refresh, { checkpoints, checkpoint: checkpoints.at(-1).checkpoint }), "primary"),
        state === "running" && button("checkpoint", "save", "Checkpoint", () => checkpointAction(simulation, refresh)),
        some && ["running", "suspended"].includes(state) && button("rewind", "back", "Rewind", () => rewindAction(simulation, refresh, { checkpoints })),
        some && button("clone", "clone", "Clone", () => cloneAction(simulation, refresh, { checkpoints, checkpoint: simulation.checkpoint ?? checkpoints.at(-1).checkpoint })),
        state !== "down" && button("down", "stop", "Down", () => downAction(simulation, refresh), "danger"),
    ];
}

function machinesCard(simulation, clocks) {
    const described = new Map((simulation.spec?.machines ?? []).map((machine) => [machine.name, machine]));
    const live = new Map(simulation.machines.map((machine) => [machine.name, machine]));
    const names = [...new Set([...live.keys(), ...described.keys()])].sort();
    const absent = simulation.state === "suspended" ? "suspended" : "down";
    const heads = ["Machine", "State", "Guest’s clock, UTC", "From the host", "Uptime", "Host", "What it is"];
    return h(
        "section",
        { class: "card", "aria-labelledby": "machines-title" },
        h(
            "div",
            { class: "section-head" },
            h("h2", { id: "machines-title" }, "Machines"),
            h("span", { class: "label" }, "Host ", ticking((now) => formatInstant(now, liveDigits()), { class: "clock" })),
            live.size > 0 && h("a", { href: link("simulations", simulation.simulation, "consoles"), class: "with-icon" }, icon("terminal"), "Serial consoles"),
        ),
        h(
            "div",
            { class: "scroll", tabindex: "0", role: "region", "aria-labelledby": "machines-title" },
            h(
                "table",
                { class: "machines wide-table" },
                h("thead", {}, h("tr", {}, heads.map((head) => h("th", { scope: "col" }, head)))),
                h("tbody", {}, names.map((name) => {
                    const machine = live.get(name);
                    const clock = clocks.get(name);
                    return h(
                        "tr",
                        { key: name, "data-machine": name },
                        h("th", { scope: "row" }, name),
                        h("td", {}, badge(machine?.state ?? absent), machine?.runState && machine.runState !== machine.state && h("span", { class: "quiet" }, ` ${machine.runState}`)),
                        h("td", {}, guestClock(clock)),
                        h("td", {}, fromHost(clock)),
                        h("td", { class: "mono" }, uptime(clock)),
                        h("td", {}, machine?.host ?? described.get(name)?.host ?? "–"),
                        h("td", { class: "quiet" }, kindOf(described.get(name), machine)),
                    );
                })),
            ),
        ),
    );
}

const phases = { armed: "armed", due: "waits for its turn", begun: "under way", done: "done", failed: "failed" };

function triggersCard({ triggers }) {
    if (!triggers?.length) return null;
    return h(
        "section",
        { class: "card", "aria-labelledby": "triggers-title" },
        h("div", { class: "section-head" }, h("h2", { id: "triggers-title" }, "Triggers")),
        h(
            "div",
            { class: "scroll", tabindex: "0", role: "region", "aria-labelledby": "triggers-title" },
            h(
                "table",
                { class: "triggers" },
                h("thead", {}, h("tr", {}, ["When", "Then", "State"].map((head) => h("th", { scope: "col" }, head)))),
                h("tbody", {}, triggers.map((trigger, index) => h(
                    "tr",
                    { key: `${index}`, "data-phase": trigger.phase },
                    h("th", { scope: "row" }, trigger.when),
                    h("td", {}, trigger.what),
                    h(
                        "td",
                        {},
                        trigger.operation ? h("a", { href: link("operations", trigger.operation) }, phases[trigger.phase]) : phases[trigger.phase],
                        trigger.metNs !== undefined && [" ", ticking((now) => formatAgo(trigger.metNs, now), { class: "quiet" })],
                        trigger.problem && h("p", { class: "quiet" }, trigger.problem),
                    ),
                ))),
            ),
        ),
    );
}

function uptime(clock) {
    if (clock?.virtualNs === undefined) return "–";
    const second = 1_000_000_000n;
    const text = (now) => {
        const ns = clock.runs ? clock.virtualNs + (now - clock.atNs) : clock.virtualNs;
        return ns < 60n * second ? `${ns / second} s` : formatDuration((ns / second) * second);
    };
    return clock.runs ? ticking(text) : text(hostNow());
}

function kindOf(spec, machine) {
    if (!spec) return machine?.adopted ? "adopted" : "";
    const qemu = spec.qemu?.split("/").pop()?.replace("qemu-system-", "") ?? "";
    return [qemu, spec.machineType, spec.memoryBytes !== undefined && formatBytes(spec.memoryBytes), machine?.adopted && "adopted"].filter(Boolean).join(" · ");
}

function drawInstant(element, simulation, point) {
    if (!point) return render(element);
    const report = point.operation?.report;
    const { checkpoint } = point;
    const title = point.operation ? kinds[point.operation.kind] : "Checkpoint";
    render(element, h(
        "section",
        { class: "card", "aria-label": "The chosen instant" },
        h(
            "div",
            { class: "section-head" },
            h("h2", {}, title, point.name && [point.kind === "resume" ? " of " : " to ", point.name]),
            h("span", { class: "mono quiet" }, `${formatInstant(point.atNs, 6)} UTC`),
            h(
                "span",
                { class: "links" },
                point.operation && h("a", { href: link("operations", point.operation.operation) }, "Whole report"),
                checkpoint && h("a", { href: link("simulations", simulation, "checkpoints", checkpoint.checkpoint) }, "Checkpoint"),
            ),
        ),
        report && report.outcome !== "done" && outcomeNotice(report),
        report && stampsOf(report).length > 0 && spreadOf(report),
        !report && h("p", { class: "quiet" }, "No report of it is known here: it was imported, or its clocks were edited, or the operation is too long ago."),
    ));
}

function checkpointsCard(name, checkpoints, storage) {
    if (checkpoints.length === 0) return null;
    const heads = [["Checkpoint"], ["Suspended at, UTC"], ["Size", "number"], ["Labels"], ["Note"]];
    return h(
        "section",
        { class: "card", "aria-labelledby": "checkpoints-title" },
        h(
            "div",
            { class: "section-head" },
            h("h2", { id: "checkpoints-title" }, "Checkpoints"),
            storage && h("span", { class: "label" }, `${formatBytes(storage.usedBytes)} on disk${storage.quotaBytes !== undefined ? ` of ${formatBytes(storage.quotaBytes)}` : ""}`),
        ),
        h(
            "div",
            { class: "scroll", tabindex: "0", role: "region", "aria-labelledby": "checkpoints-title" },
            h(
                "table",
                { class: "checkpoints" },
                h("thead", {}, h("tr", {}, heads.map(([head, kind]) => h("th", { scope: "col", class: kind ?? null }, head)))),
                h("tbody", {}, tree(checkpoints).map(({ checkpoint, depth }) => h(
                    "tr",
                    { key: checkpoint.checkpoint, "data-checkpoint": checkpoint.checkpoint },
                    h(
                        "th",
                        { scope: "row" },
                        h("span", { class: "branch-mark", style: { "padding-left": `${Math.min(depth, 8) * 1.1}rem` } }, depth > 0 && h("span", { "aria-hidden": "true", class: "quiet" }, "└ ")),
                        h("a", { href: link("simulations", name, "checkpoints", checkpoint.checkpoint) }, checkpoint.checkpoint),
                        checkpoint.current && h("span", { class: "here-tag" }, "here"),
                        !checkpoint.sealed && h("span", { class: "quiet" }, " being sealed"),
                    ),
                    h("td", {}, h("span", { class: "mono" }, formatInstant(checkpoint.instantNs, 3)), " ", ticking((now) => formatAgo(checkpoint.instantNs, now), { class: "quiet" })),
                    h("td", { class: "number" }, formatBytes(checkpoint.bytes)),
                    h("td", {}, labelTags(checkpoint.labels)),
                    h("td", { class: "note-cell" }, checkpoint.note ?? ""),
                ))),
            ),
        ),
    );
}

/** Parents before their children, children by age; a child is one step further in only where its parent has several. */
function tree(checkpoints) {
    const names = new Set(checkpoints.map((checkpoint) => checkpoint.checkpoint));
    const children = Map.groupBy(checkpoints, (checkpoint) => (names.has(checkpoint.parent) ? checkpoint.parent : undefined));
    const found = [];
    const walk = (parent, depth) => {
        const here = children.get(parent) ?? [];
        for (const checkpoint of here) {
            found.push({ checkpoint, depth });
            walk(checkpoint.checkpoint, depth + 1);
        }
    };
    walk(undefined, 0);
    return found;
}
