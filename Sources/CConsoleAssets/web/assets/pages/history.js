// What was done: the last operations, with how they ended, and those before them as far as one looks.

import { announce } from "../announce.js";
import { get, path } from "../api.js";
import { h } from "../dom.js";
import { emptyState, command } from "../notices.js";
import { OperationPages } from "../operation-pages.js";
import { link } from "../router.js";
import { formatDuration, formatInstant, formatOffset } from "../time.js";
import { liveView } from "../view.js";
import { badge, kinds } from "../words.js";

/** So many at a time. */
const LIMIT = 100;

export function historyPage(context) {
    context.setTitle("History");
    const filter = { simulation: "", outcome: "" };
    const names = new Set();
    let pages = new OperationPages();
    /** Whether one wants to see more than there is. */
    let wantsOlder = false;

    async function load() {
        // What it is of may have been chosen anew meanwhile.
        const { simulation } = filter;
        const current = pages;
        const ask = (place) => get(place, { signal: context.signal });
        current.renew(await ask(path(["operations"], { limit: LIMIT, simulation: simulation || undefined })));
        if (wantsOlder && current.next) {
            wantsOlder = false;
            const before = current.operations.length;
            current.append(await ask(current.next));
            if (current === pages) announce(`${current.operations.length - before} older operations`);
        }
        for (const operation of pages.operations) names.add(operation.simulation);
        return pages;
    }

    const change = {
        simulation(name) {
            filter.simulation = name;
            pages = new OperationPages();
            wantsOlder = false;
            refresh();
        },
        outcome(outcome) {
            filter.outcome = outcome;
            refresh();
        },
        older() {
            wantsOlder = true;
            refresh();
        },
    };
    const refresh = liveView(context, { load, draw: (shown) => draw(shown, filter, [...names].sort(), change) });
}

function draw({ operations, next }, filter, names, change) {
    if (operations.length === 0 && filter.simulation === "") {
        return emptyState("Nothing was done yet", h("p", {}, "Every start, suspend, checkpoint and resume is kept here with its report."), command("fermata up lab.yaml"));
    }
    const outcomeOf = (operation) => operation.report?.outcome ?? "active";
    const shown = operations.filter((operation) => !filter.outcome || outcomeOf(operation) === filter.outcome);
    const choose = (key, label, values) => h(
        "label",
        { class: "label" },
        label,
        " ",
        h(
            "select",
            { class: "small", id: `filter-${key}`, on: { change: (event) => change[key](event.target.value) } },
            h("option", { value: "" }, "all"),
            values.map((value) => h("option", { value }, value)),
        ),
    );
    const all = `${next ? "the last" : "all"} ${operations.length} ${operations.length === 1 ? "operation" : "operations"}`;
    return [
        h(
            "div",
            { class: "page-head" },
            h("div", {}, h("h1", {}, "History"), h("p", { class: "lead" }, shown.length === operations.length ? `${all[0].toUpperCase()}${all.slice(1)}, newest first` : `${shown.length} of ${all}`)),
            h("div", { class: "page-actions" }, choose("simulation", "Simulation", names), choose("outcome", "Outcome", unique([...operations.map(outcomeOf), filter.outcome].filter(Boolean)))),
        ),
        h("section", { class: "card", "aria-label": "Operations" }, h("div", { class: "scroll", tabindex: "0", role: "region", "aria-label": "Operations" }, table(shown))),
        next && h("p", { class: "more" }, h("button", { type: "button", id: "older", on: { click: change.older } }, "Older operations")),
    ];
}

function unique(values) {
    return [...new Set(values)].sort();
}

function table(operations) {
    const heads = [["Instant, UTC"], ["What"], ["Simulation"], ["Checkpoint"], ["How it ended"], ["Spread", "number"], ["Latest", "number"], ["Took", "number"], [""]];
    return h(
        "table",
        { class: "report history" },
        h("thead", {}, h("tr", {}, heads.map(([head, kind]) => h("th", { scope: "col", class: kind ?? null }, head || h("span", { class: "unseen" }, "Report"))))),
        h("tbody", {}, operations.map((operation) => {
            const { report } = operation;
            const late = (report?.machines ?? []).map((machine) => machine.latenessNs).filter((ns) => ns !== undefined);
            return h(
                "tr",
                { key: operation.operation, "data-operation": operation.operation, "data-outcome": report?.outcome ?? "active" },
                h("td", { class: "mono" }, formatInstant(operation.deadlineNs ?? operation.startedNs, 3)),
                h("th", { scope: "row" }, kinds[operation.kind] ?? operation.kind),
                h("td", {}, h("a", { href: link("simulations", operation.simulation) }, operation.simulation)),
                h("td", {}, operation.checkpoint ? `${report?.origin ? `${report.origin.simulation}@` : ""}${operation.checkpoint}` : "–"),
                h("td", {}, report ? badge(report.outcome) : badge("active", operation.phase)),
                h("td", { class: "number" }, report?.spreadNs === undefined ? "–" : formatDuration(report.spreadNs)),
                h("td", { class: "number" }, late.length > 0 ? formatOffset(late.reduce((a, b) => (b > a ? b : a))) : "–"),
                h("td", { class: "number" }, operation.finishedNs === undefined ? "–" : formatDuration(operation.finishedNs - operation.startedNs)),
                h("td", {}, h("a", { href: link("operations", operation.operation), "aria-label": `Report of ${kinds[operation.kind] ?? operation.kind} of ${operation.simulation}` }, "Report")),
            );
        })),
    );
}
