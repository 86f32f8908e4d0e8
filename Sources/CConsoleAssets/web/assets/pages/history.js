// What was done: the last operations, with how they ended.

import { get } from "../api.js";
import { h } from "../dom.js";
import { emptyState, command } from "../notices.js";
import { link } from "../router.js";
import { formatDuration, formatInstant, formatOffset } from "../time.js";
import { liveView } from "../view.js";
import { badge, kinds } from "../words.js";

export function historyPage(context) {
    context.setTitle("History");
    const filter = { simulation: "", outcome: "" };
    const refresh = liveView(context, {
        load: async () => (await get("/v1/operations", { signal: context.signal })).operations,
        draw: (operations) => draw(operations, filter, () => refresh()),
    });
}

function draw(operations, filter, redraw) {
    if (operations.length === 0) {
        return emptyState("Nothing was done yet", h("p", {}, "Every start, suspend, checkpoint and resume is kept here with its report."), command("fermata up lab.yaml"));
    }
    const outcomeOf = (operation) => operation.report?.outcome ?? "active";
    const shown = operations.filter((operation) => (!filter.simulation || operation.simulation === filter.simulation) && (!filter.outcome || outcomeOf(operation) === filter.outcome));
    const choose = (key, label, values) => h(
        "label",
        { class: "label" },
        label,
        " ",
        h(
            "select",
            { class: "small", id: `filter-${key}`, on: { change: (event) => { filter[key] = event.target.value; redraw(); } } },
            h("option", { value: "" }, "all"),
            values.map((value) => h("option", { value }, value)),
        ),
    );
    return [
        h(
            "div",
            { class: "page-head" },
            h("div", {}, h("h1", {}, "History"), h("p", { class: "lead" }, shown.length === operations.length ? `The last ${operations.length} operations, newest first` : `${shown.length} of the last ${operations.length} operations`)),
            h("div", { class: "page-actions" }, choose("simulation", "Simulation", unique(operations.map((operation) => operation.simulation))), choose("outcome", "Outcome", unique(operations.map(outcomeOf)))),
        ),
        h("section", { class: "card", "aria-label": "Operations" }, h("div", { class: "scroll", tabindex: "0", role: "region", "aria-label": "Operations" }, table(shown))),
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
