// All simulations: what each is doing, its machines, and their clocks beside the host's.

import { get, path } from "../api.js";
import { downAction, importAction, resumeAction, startAction, suspendAction } from "../actions.js";
import { h } from "../dom.js";
import { fromHost, guestClock, guestClocks } from "../guest-clocks.js";
import { icon } from "../icons.js";
import { command, emptyState } from "../notices.js";
import { link } from "../router.js";
import { may } from "../session.js";
import { ticking } from "../ticker.js";
import { formatAgo, formatInstant } from "../time.js";
import { liveDigits } from "../ticker.js";
import { liveView } from "../view.js";
import { badge, plural } from "../words.js";

export function simulationsPage(context) {
    context.setTitle("Simulations");
    const refresh = liveView(context, {
        load: () => load(context.signal),
        draw: (simulations) => draw(simulations, () => refresh()),
    });
}

async function load(signal) {
    const [{ simulations }, { operations }] = await Promise.all([get("/v1/simulations", { signal }), get("/v1/operations", { signal })]);
    return Promise.all(simulations.map(async (summary) => {
        const detail = await get(path(["simulations", summary.simulation]), { signal }).catch(passing(summary));
        const own = operations.filter((operation) => operation.simulation === summary.simulation);
        return { summary, detail, clocks: await guestClocks(detail, own, signal) };
    }));
}

/** A simulation that is gone between two requests is shown as it was told first. */
function passing(summary) {
    return (problem) => {
        if (problem.isUnreachable || problem.needsSession) throw problem;
        return { ...summary, machines: [], spec: {}, problems: [] };
    };
}

function draw(simulations, refresh) {
    if (simulations.length === 0) {
        return emptyState(
            "Nothing runs yet",
            h("p", {}, "Describe a lab in a manifest and launch it; it shows up here."),
            command("fermata up lab.yaml"),
            h("p", {}, "A QEMU that already runs can be taken charge of:"),
            command("fermata adopt lab machine unix:/path/qmp.sock"),
            may("operate") && h("p", {}, h("button", { type: "button", id: "import", on: { click: () => importAction(refresh) } }, "Import a checkpoint’s archive")),
        );
    }
    const running = simulations.filter(({ summary }) => summary.state === "running").length;
    return [
        h(
            "div",
            { class: "page-head" },
            h("div", {}, h("h1", {}, "Simulations"), h("p", { class: "lead" }, `${plural(simulations.length, "simulation")}, ${running} running`)),
            h(
                "div",
                { class: "host-time" },
                h("span", { class: "label" }, "Host"),
                ticking((now) => formatInstant(now, liveDigits()), { class: "clock" }),
            ),
        ),
        h("ul", { class: "cards" }, simulations.map((simulation) => card(simulation, refresh))),
        may("operate") && h("p", { class: "page-foot" }, h("button", { type: "button", id: "import", class: "quiet-button", on: { click: () => importAction(refresh) } }, "Import a checkpoint’s archive…")),
    ];
}

function card({ summary, detail, clocks }, refresh) {
    const name = summary.simulation;
    return h(
        "li",
        { class: "card simulation", key: name, "data-simulation": name, "data-state": summary.state },
        h(
            "div",
            { class: "card-head" },
            h("h2", {}, h("a", { href: link("simulations", name) }, name)),
            badge(summary.state),
            h("p", { class: "card-where" }, where(summary)),
            may("operate") && h("div", { class: "card-actions" }, actions(summary, detail, refresh)),
        ),
        machineTable(summary, detail, clocks),
    );
}

function where(summary) {
    if (summary.operation) return h("a", { href: link("operations", summary.operation) }, "an operation is under way");
    if (summary.state === "suspended") return ["at ", checkpointLink(summary)];
    if (summary.checkpoint) return ["since ", checkpointLink(summary)];
    if (summary.origin) return `from ${summary.origin.simulation}@${summary.origin.checkpoint}`;
    return ticking((now) => `made ${formatAgo(summary.createdNs, now)}`);
}

function checkpointLink({ simulation, checkpoint }) {
    return h("a", { href: link("simulations", simulation, "checkpoints", checkpoint) }, checkpoint);
}

function actions(summary, detail, refresh) {
    const button = (verb, sign, label, run) => h("button", { type: "button", "data-verb": verb, on: { click: run }, "aria-label": `${label} ${summary.simulation}` }, icon(sign), h("span", {}, label));
    if (summary.state === "running") return button("suspend", "pause", "Suspend", () => suspendAction(detail, refresh));
    if (summary.state === "suspended") return button("resume", "play", "Resume", () => resumeAction(detail, refresh));
    if (summary.state === "down" && detail.spec?.machines) return button("start", "play", "Start", () => startAction(detail, refresh));
    if (summary.state === "unknown") return button("down", "stop", "Down", () => downAction(detail, refresh));
    return null;
}

function machineTable(summary, detail, clocks) {
    const live = new Map(detail.machines.map((machine) => [machine.name, machine]));
    const state = summary.state === "suspended" ? "suspended" : "down";
    return h(
        "table",
        { class: "machines" },
        h("caption", { class: "unseen" }, `Machines of ${summary.simulation}`),
        h("thead", { class: "unseen" }, h("tr", {}, ["Machine", "State", "Guest’s clock", "From the host"].map((head) => h("th", { scope: "col" }, head)))),
        h("tbody", {}, summary.machines.map((name) => h(
            "tr",
            { key: name },
            h("th", { scope: "row" }, name),
            h("td", {}, badge(live.get(name)?.state ?? state)),
            h("td", {}, guestClock(clocks.get(name))),
            h("td", { class: "wide-only" }, fromHost(clocks.get(name))),
        ))),
    );
}
