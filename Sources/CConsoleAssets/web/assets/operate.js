// The way of every operation through its dialog: what, then what that means and who is ready, then progress, then the report.

import { post } from "./api.js";
import { Dialog } from "./dialog.js";
import { h, render } from "./dom.js";
import { readAll } from "./fields.js";
import { problemNotice } from "./notices.js";
import { loadPlan } from "./plan-view.js";
import { Progress } from "./progress.js";
import { reportView } from "./report-view.js";
import { link } from "./router.js";
import { formatDuration, formatInstant } from "./time.js";

/**
 * @param title of the dialog
 * @param verb on its buttons
 * @param simulation its detail
 * @param fields by name; `layout` says how they stand (all in a row by default)
 * @param route of the fields' values: `{path, plans, destructive}`
 * @param body of the request, of the fields' values
 * @param says sentences of what will happen, of the fields' values
 * @param refresh called when things are different
 */
export function operate(action) {
    const dialog = new Dialog(action.title);
    showForm(dialog, action);
    return dialog;
}

function showForm(dialog, action) {
    const { fields, layout = Object.values(fields).map((field) => field.element), verb } = action;
    dialog.step(h("div", { class: "form" }, layout), [
        { label: "Cancel", action: () => dialog.close() },
        {
            label: `${verb}…`, tone: "primary", id: "next", submits: true,
            action: () => {
                const values = readAll(fields);
                if (values) showPlan(dialog, action, values);
            },
        },
    ], { title: action.title });
}

async function showPlan(dialog, action, values) {
    const route = action.route(values);
    const body = action.body(values);
    const summary = h("div", { class: "summary" }, [...action.says(values), sayWhen(values.when)].map((text) => h("p", {}, text)));
    const back = { label: "Back", action: () => showForm(dialog, action) };
    dialog.step([summary, h("p", { class: "quiet", role: "status" }, "Asking the hypervisors…")], [back], { focus: "title" });
    let plan;
    try {
        plan = await loadPlan(route, body, action.simulation, dialog.signal);
    } catch (problem) {
        if (!dialog.signal.aborted) dialog.step([summary, problemNotice(problem)], [back, { label: "Ask again", action: () => showPlan(dialog, action, values), submits: true }]);
        return;
    }
    if (dialog.signal.aborted) return;
    dialog.step([summary, plan.element], [
        back,
        plan.ready
            ? { label: action.verb, tone: route.destructive ? "danger" : "primary", id: "confirm", submits: true, action: () => begin(dialog, action, route, body) }
            : { label: "Ask again", id: "again", submits: true, action: () => showPlan(dialog, action, values) },
    ], { focus: "title" });
    dialog.element.querySelector("#confirm, #again")?.focus();
}

async function begin(dialog, action, route, body) {
    dialog.setButtons([{ label: action.verb, tone: "primary", id: "confirm", disabled: true }]);
    let started;
    try {
        started = await post(route.path, body);
    } catch (problem) {
        dialog.step(problemNotice(problem), [{ label: "Back", action: () => showForm(dialog, action) }, { label: "Close", submits: true, action: () => dialog.close() }]);
        return;
    }
    action.refresh();
    await showProgress(dialog, action, started.clones ?? [{ operation: started.operation, simulation: action.simulation.simulation }]);
    action.refresh();
}

async function showProgress(dialog, action, operations) {
    const many = operations.length > 1;
    const buttons = () => [
        { label: "Leave it to itself", action: () => dialog.close() },
        { label: "Call it off", tone: "danger", id: "cancel", disabled: !all.some(({ progress }) => progress.canCancel), action: () => all.forEach(({ progress }) => progress.canCancel && progress.cancel()) },
    ];
    const all = operations.map(({ operation, simulation }) => ({ operation, simulation, progress: new Progress(operation, dialog.signal, () => redraw()) }));
    const redraw = () => dialog.setButtons(buttons());
    dialog.step(all.map(({ simulation, progress }) => [many && h("h3", {}, simulation), progress.element]), buttons(), { focus: "title" });
    const results = await Promise.allSettled(all.map(({ progress }) => progress.result()));
    if (dialog.signal.aborted) return;
    dialog.element.classList.add("wide");
    const content = results.map((result, index) => {
        const view = result.status === "fulfilled" ? staticReport(result.value) : problemNotice(result.reason);
        return [many && h("h3", {}, all[index].simulation), view, h("p", {}, h("a", { href: link("operations", all[index].operation), on: { click: () => dialog.close() } }, "Keep this report’s address"))];
    });
    const failed = results.some((result) => result.value?.outcome !== "done");
    dialog.step(content, [
        failed && !many && { label: "Change and try again", id: "retry", action: () => { dialog.element.classList.remove("wide"); showForm(dialog, action); } },
        { label: "Close", tone: "primary", id: "done", submits: true, action: () => dialog.close() },
    ].filter(Boolean), { focus: "title" });
}

function staticReport(report) {
    const place = h("div", { class: "report-body" });
    render(place, reportView(report));
    return place;
}

function sayWhen(when) {
    if (when?.inNs !== undefined) return `It happens ${formatDuration(when.inNs)} after you confirm.`;
    if (when?.atNs !== undefined) return `It happens at ${formatInstant(when.atNs, 3)} UTC.`;
    return "It happens as soon as every host can.";
}
