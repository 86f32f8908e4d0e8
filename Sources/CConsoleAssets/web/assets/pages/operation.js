// One operation: as it goes on, or its report. One whose outcome is not known is settled here.

import { get, path, post } from "../api.js";
import { attempt } from "../actions.js";
import { confirmation } from "../dialog.js";
import { h, island } from "../dom.js";
import { icon } from "../icons.js";
import { notice } from "../notices.js";
import { Progress } from "../progress.js";
import { reportView } from "../report-view.js";
import { link } from "../router.js";
import { may } from "../session.js";
import { liveView } from "../view.js";
import { badge, kinds } from "../words.js";

export function operationPage(context, { operation }) {
    context.setTitle("Operation");
    let progress = null;
    let known = null;
    // What its events told of one that nobody could settle: that is not written down.
    let unsettled = null;
    const refresh = liveView(context, {
        load: async () => {
            // A report does not change any more, but that of an operation which is to be settled.
            if (known && known.report.outcome !== "unknown") return known;
            const detail = await get(path(["operations", operation]), { signal: context.signal });
            if (detail.report) known = detail;
            return detail.report || !unsettled ? detail : { ...detail, report: unsettled };
        },
        draw: (detail) => {
            context.setTitle(`${kinds[detail.kind] ?? detail.kind} of ${detail.simulation}`);
            if (!detail.report && !progress) {
                progress = new Progress(operation, context.signal, () => refresh());
                progress.result().then(
                    (report) => {
                        if (report?.outcome === "unknown") unsettled = report;
                        refresh();
                    },
                    () => refresh(),
                );
            }
            return draw(detail, progress, () => refresh());
        },
        concerns: (change) => change.operation === undefined || change.operation === operation,
    });
}

function draw(detail, progress, refresh) {
    return [
        h(
            "div",
            { class: "page-head" },
            h(
                "div",
                {},
                h("ol", { class: "crumbs" }, h("li", {}, h("a", { href: link("history") }, "History")), h("li", {}, h("a", { href: link("simulations", detail.simulation) }, detail.simulation))),
                h("h1", {}, `${kinds[detail.kind] ?? detail.kind} of ${detail.simulation}`, badge(detail.report?.outcome ?? "active", detail.report?.outcome ?? detail.phase)),
                h("p", { class: "lead mono" }, detail.operation),
            ),
            !detail.report && may("operate") && h("div", { class: "page-actions" }, h("button", { type: "button", class: "danger", id: "cancel", disabled: !progress?.canCancel, on: { click: () => progress.cancel() } }, icon("cross"), "Call it off")),
        ),
        detail.report
            ? h("section", { class: "card report-body", "aria-label": "Report" }, reportView(detail.report))
            : h("section", { class: "card", "aria-label": "Progress" }, island("progress", progress)),
        detail.report?.outcome === "unknown" && may("operate") && settleCard(detail, refresh),
    ].filter(Boolean);
}

function settleCard(detail, refresh) {
    const settle = (decision) => attempt("Settle", async () => {
        await post(path(["operations", detail.operation, "settle"]), decision ? { decision } : {});
        refresh();
    });
    const decide = async (decision, title, words) => {
        if (await confirmation(title, h("p", {}, words), { label: "Decide so" })) settle(decision);
    };
    return h(
        "section",
        { class: "card report-body", "aria-label": "Settle it" },
        notice("notice", "Settle it", h("p", {}, "Ask its hosts once more when they answer again. Decide only when one of them is gone for good: hosts that do not answer are told later.")),
        h(
            "div",
            { class: "page-actions" },
            h("button", { type: "button", class: "primary", id: "settle-ask", on: { click: () => settle() } }, "Ask the hosts again"),
            h("button", { type: "button", id: "settle-commit", on: { click: () => decide("commit", "Let it stand?", "Machines that were started or resumed stay; those that were saved end.") } }, "Let it stand…"),
            h("button", { type: "button", class: "danger", id: "settle-rollback", on: { click: () => decide("rollback", "Undo it?", "Machines that were started or resumed end; those that were to be saved run on.") } }, "Undo it…"),
        ),
    );
}
