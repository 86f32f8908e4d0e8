// Hosts: whether each answers, how well its clock is disciplined, and what it can run.

import { get, path, post, remove } from "../api.js";
import { attempt, formAction } from "../actions.js";
import { formatBytes } from "../bytes.js";
import { confirmation } from "../dialog.js";
import { h } from "../dom.js";
import { checkField, FieldError, labelsField, nameField, textField } from "../fields.js";
import { icon } from "../icons.js";
import { labelTags } from "../labels.js";
import { notice, problemNotice, reasonList } from "../notices.js";
import { may } from "../session.js";
import { formatDuration, parseDuration } from "../time.js";
import { liveView } from "../view.js";
import { badge, plural } from "../words.js";

export function hostsPage(context) {
    context.setTitle("Hosts");
    const refresh = liveView(context, {
        load: async () => (await get("/v1/hosts", { signal: context.signal })).hosts,
        draw: (hosts) => draw(hosts, () => refresh()),
    });
}

function draw(hosts, refresh) {
    return [
        h(
            "div",
            { class: "page-head" },
            h("div", {}, h("h1", {}, "Hosts"), h("p", { class: "lead" }, `${plural(hosts.length, "host")}, ${plural(hosts.reduce((sum, host) => sum + host.machines, 0), "machine")}`)),
            h(
                "div",
                { class: "page-actions" },
                may("operate") && h("button", { type: "button", id: "tidy", on: { click: () => tidyAction() } }, "Clear away…"),
                may("admin") && h("button", { type: "button", id: "add-host", on: { click: () => addAction(refresh) } }, icon("plus"), "Add a host"),
            ),
        ),
        h("ul", { class: "cards" }, hosts.map((host, index) => card(host, index === 0, refresh))),
    ];
}

function card(host, isOwn, refresh) {
    const about = host.description;
    const fact = (name, ...value) => h("div", {}, h("dt", {}, name), h("dd", {}, value));
    return h(
        "li",
        { class: "card", key: host.name, "data-host": host.name, "data-state": host.state },
        h(
            "div",
            { class: "card-head" },
            h("h2", {}, host.name),
            badge(host.state),
            h("p", { class: "card-where" }, isOwn ? "the control instance’s own" : host.address, " ", labelTags(host.labels)),
            // The control instance's own host can be neither drained nor forgotten.
            !isOwn && may("admin") && h("div", { class: "card-actions" }, hostActions(host, refresh)),
        ),
        host.problems.length > 0 && notice("problem", "Not all is well", reasonList(host.problems)),
        about && h("div", { class: "host-body" }, clockDial(about.clockErrorBoundNs), h(
            "dl",
            { class: "facts" },
            fact("Machines", String(host.machines)),
            fact("Architecture", about.architecture ?? "–"),
            fact("KVM", about.kvm ? "yes" : "no"),
            fact("Free for checkpoints", formatBytes(about.freeBytes)),
            fact("QEMUs", String(about.binaries?.length ?? 0)),
        )),
        about?.findings?.length > 0 && findings(about.findings),
        about?.binaries?.length > 0 && binaries(about.binaries),
    );
}

/** How far a host's clock may be from the truth, on a scale of powers of ten. */
function clockDial(bound) {
    const known = bound !== undefined && bound !== null;
    const share = known ? Math.min(Math.max((Math.log10(Number(bound) + 1) - 3) / 6, 0.03), 1) : 1;
    return h(
        "div",
        { class: `dial ${known ? (share < 0.55 ? "good" : "fair") : "none"}` },
        h("p", { class: "label" }, "Clock error"),
        h("p", { class: "dial-value" }, known ? `± ${formatDuration(bound)}` : "not known"),
        h("div", { class: "dial-scale", role: "img", "aria-label": known ? `within ${formatDuration(bound)} of the truth` : "nothing disciplines this clock" }, h("span", { style: { width: `${share * 100}%` } })),
        h("p", { class: "hint" }, known ? "from 1 µs to 1 s" : "Nothing disciplines its clock: let chrony or systemd-timesyncd do it."),
    );
}

function findings(list) {
    const tone = { ok: "run", notice: "busy", problem: "bad" };
    const sign = { ok: "check", notice: "info", problem: "warning" };
    const count = list.filter((finding) => finding.level !== "ok").length;
    return h(
        "details",
        {},
        h("summary", {}, count > 0 ? `${plural(count, "thing")} to know` : "All is well with it"),
        h("ul", { class: "hosts-plan" }, list.map((finding) => h("li", {}, h("span", { class: `sign ${tone[finding.level]}` }, icon(sign[finding.level])), h("div", {}, h("strong", {}, finding.subject), h("p", {}, finding.message))))),
    );
}

function binaries(list) {
    return h(
        "details",
        {},
        h("summary", {}, plural(list.length, "QEMU")),
        h("div", { class: "scroll", tabindex: "0", role: "region", "aria-label": "QEMUs" }, h(
            "table",
            { class: "report" },
            h("thead", {}, h("tr", {}, ["For", "Version", "Path"].map((head) => h("th", { scope: "col" }, head)))),
            h("tbody", {}, list.map((binary) => h("tr", { key: binary.path }, h("th", { scope: "row" }, binary.target), h("td", {}, [binary.version].flat().join(".")), h("td", { class: "mono quiet" }, binary.path)))),
        )),
    );
}

function hostActions(host, refresh) {
    const drained = host.state === "drained";
    const drain = () => attempt(`Drain ${host.name}`, async () => {
        await post(path(["hosts", host.name, "drain"]), { drained: !drained });
        refresh();
    });
    return [
        h("button", { type: "button", key: "drain", "data-verb": "drain", title: drained ? "Let it take machines again" : "Start and resume no machines on it any more", on: { click: drain } }, drained ? "Take machines again" : "Drain"),
        h("button", { type: "button", key: "forget", class: "danger", "data-verb": "forget", on: { click: () => forgetAction(host, refresh) } }, "Forget…"),
    ];
}

function addAction(refresh) {
    const fields = {
        name: nameField("Name", { name: "name", required: true, hint: "As its certificate calls it." }),
        address: textField("Address of its agent", {
            name: "address", placeholder: "lab2.example:7443",
            read: (text) => {
                if (!/^(\[[0-9a-fA-F:]+\]|[^\s:[\]]+):\d{1,5}$/.test(text)) throw new FieldError("Write it as HOST:PORT or [IPv6]:PORT.");
                return text;
            },
        }),
        labels: labelsField(),
    };
    formAction("Add a host", "Add it", fields, async (values) => {
        await post("/v1/hosts", values);
        refresh();
    }, h("p", { class: "quiet" }, "On that host ", h("kbd", {}, "fermata agent"), " has to run, with credentials of this authority."));
}

async function forgetAction(host, refresh) {
    const force = checkField("It is gone for good", { name: "force", hint: "Its machines are taken for ended, its parts of checkpoints for lost." });
    if (!(await confirmation(`Forget ${host.name}?`, [h("p", {}, "It is refused while machines live or checkpoints lie there."), force.element], { label: "Forget it" }))) return;
    await attempt(`Forget ${host.name}`, () => remove(path(["hosts", host.name], { force: force.read() ? true : undefined })));
    refresh();
}

/** Shows what would be cleared away before anything is. */
function tidyAction() {
    const number = (text) => {
        if (text === "") return undefined;
        if (!/^\d+$/.test(text)) throw new FieldError("A number.");
        return Number(text);
    };
    const age = (text) => {
        if (text === "") return undefined;
        const value = parseDuration(text);
        if (value === null) throw new FieldError("Write a duration: 12h, 7d.");
        return value;
    };
    const fields = {
        keep: textField("Keep the newest", { name: "keep", hint: "of each simulation; left empty, no checkpoint is taken for being old", read: number }),
        olderThanNs: textField("Take those older than", { name: "older", placeholder: "7d", read: age }),
    };
    formAction("Clear away", "Show what would go…", fields, async (values, dialog) => {
        const plan = await post("/v1/gc", { ...values, dryRun: true });
        dialog.step(tidyPlan(plan), [
            { label: plan.items.length > 0 ? "Leave it" : "Close", action: () => dialog.close() },
            plan.items.length > 0 && { label: `Clear away ${formatBytes(plan.bytes)}`, tone: "danger", id: "tidy-confirm", submits: true, action: () => tidy(dialog, values) },
        ].filter(Boolean));
        return true;
    }, h("p", { class: "quiet" }, "What nothing refers to, and checkpoints by a rule. Never one that is labelled “keep”, that something stands at, or whose disks others lie on."));
}

async function tidy(dialog, values) {
    const close = [{ label: "Close", tone: "primary", submits: true, action: () => dialog.close() }];
    try {
        const done = await post("/v1/gc", { ...values, dryRun: false });
        dialog.step(notice("ok", `${plural(done.items.length, "thing")} cleared away, ${formatBytes(done.bytes)} freed.`), close);
    } catch (problem) {
        dialog.step(problemNotice(problem), close);
    }
}

function tidyPlan(plan) {
    if (plan.items.length === 0) return [notice("ok", "There is nothing to clear away."), plan.spared.length > 0 && reasonList(plan.spared)];
    return [
        h("ul", { class: "reasons" }, plan.items.map((item) => h("li", {}, h("strong", {}, item.name), ` ${item.kind}, ${formatBytes(item.bytes)}`))),
        plan.spared.length > 0 && [h("h3", {}, "Spared"), reasonList(plan.spared)],
    ];
}

