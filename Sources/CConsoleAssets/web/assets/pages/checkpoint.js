// One checkpoint: what is in it, what it grew from and what grew from it, and all that can be done with it.

import { get, patch, path, post } from "../api.js";
import { announce } from "../announce.js";
import { attempt, cloneAction, editClockAction, formAction, removeAction, resumeAction, rewindAction } from "../actions.js";
import { formatBytes } from "../bytes.js";
import { Dialog } from "../dialog.js";
import { h } from "../dom.js";
import { FieldError, noteField, parseLabels, textField } from "../fields.js";
import { icon } from "../icons.js";
import { labelTags } from "../labels.js";
import { notice, reasonList } from "../notices.js";
import { link } from "../router.js";
import { may } from "../session.js";
import { ticking } from "../ticker.js";
import { formatAgo, formatInstant, formatOffset, formatDuration, isoInstant } from "../time.js";
import { liveView } from "../view.js";
import { clockKind } from "../words.js";

const ways = { file: "in a file", stream: "in QEMU’s stream", mapped: "in a mapped file" };

export function checkpointPage(context, { simulation, checkpoint }) {
    context.setTitle(`${simulation}@${checkpoint}`);
    const refresh = liveView(context, {
        load: () => load(simulation, checkpoint, context.signal),
        draw: (data) => draw(data, () => refresh()),
        concerns: (change) => change.simulation === undefined || change.simulation === simulation,
    });
}

async function load(simulation, name, signal) {
    const base = ["simulations", simulation];
    const [checkpoint, { checkpoints }, detail] = await Promise.all([
        get(path([...base, "checkpoints", name]), { signal }),
        get(path([...base, "checkpoints"]), { signal }),
        get(path(base), { signal }),
    ]);
    const clocks = await get(path([...base, "checkpoints", name, "clocks"]), { signal }).catch((problem) => ({ machines: [], problem }));
    return { ...checkpoint, checkpoints, simulation: detail, clocks };
}

function draw({ summary, folder, manifest, checkpoints, simulation, clocks }, refresh) {
    const name = summary.simulation;
    const children = checkpoints.filter((checkpoint) => checkpoint.parent === summary.checkpoint);
    return [
        h(
            "div",
            { class: "page-head" },
            h(
                "div",
                {},
                h("ol", { class: "crumbs" }, h("li", {}, h("a", { href: link() }, "Simulations")), h("li", {}, h("a", { href: link("simulations", name) }, name))),
                h("h1", {}, summary.checkpoint, summary.current && h("span", { class: "here-tag" }, `${name} stands here`)),
                h("p", { class: "lead" }, h("time", { class: "mono", datetime: isoInstant(summary.instantNs) }, `${formatInstant(summary.instantNs, 6)} UTC`), " · ", ticking((now) => formatAgo(summary.instantNs, now))),
            ),
            h("div", { class: "page-actions", role: "group", "aria-label": "Actions" }, actions(summary, checkpoints, children, simulation, refresh)),
        ),
        manifest.ramTaken && notice("notice", "Its RAM was given away: it cannot be resumed"),
        h(
            "section",
            { class: "card", "aria-label": "About it" },
            h(
                "dl",
                { class: "facts" },
                fact("Size", formatBytes(summary.bytes)),
                fact("On disk", summary.sealed ? h("span", { class: "with-icon", id: "sealed" }, icon("lock"), "sealed") : h("span", { id: "sealed" }, "being written")),
                fact("Grew from", summary.parent ? checkpointLink(name, summary.parent) : summary.origin ? checkpointLink(summary.origin.simulation, summary.origin.checkpoint, true) : "a start"),
                fact("Grew from it", children.length > 0 ? children.map((child, index) => [index > 0 && ", ", checkpointLink(name, child.checkpoint)]) : "nothing"),
                fact("Made by", h("span", { class: "mono" }, manifest.tool ? [manifest.tool].flat().map((tool) => tool.name ? `${tool.name} ${tool.version ?? ""}` : String(tool)).join(" ") : "–")),
                fact("Made in", manifest.operation ? h("a", { href: link("operations", manifest.operation) }, "this operation") : "–"),
            ),
            h("p", { class: "quiet folder" }, "Folder ", h("code", {}, folder)),
        ),
        h(
            "section",
            { class: "card", "aria-labelledby": "about-title" },
            h(
                "div",
                { class: "section-head" },
                h("h2", { id: "about-title" }, "Labels and note"),
                may("operate") && h("button", { type: "button", id: "annotate", on: { click: () => annotate(summary, refresh) } }, "Change…"),
            ),
            h("p", { id: "labels" }, Object.keys(summary.labels).length > 0 ? labelTags(summary.labels) : h("span", { class: "quiet" }, "No labels. One called “keep” keeps it from being cleared away.")),
            h("p", { id: "note", class: summary.note ? "" : "quiet" }, summary.note ?? "No note."),
        ),
        machinesCard(manifest, clocks),
        clocks.problem && notice("problem", "Its clocks cannot be read", h("p", {}, clocks.problem.message)),
        clocks.machines.length > 0 && clocksCard(clocks),
    ].filter(Boolean);
}

function fact(name, ...value) {
    return h("div", {}, h("dt", {}, name), h("dd", {}, value));
}

function checkpointLink(simulation, name, whole = false) {
    return h("a", { href: link("simulations", simulation, "checkpoints", name) }, whole ? `${simulation}@${name}` : name);
}

function actions(summary, checkpoints, children, simulation, refresh) {
    const name = summary.checkpoint;
    const button = (verb, sign, label, run, tone = "") => h("button", { type: "button", class: tone, key: verb, "data-verb": verb, on: { click: run } }, sign && icon(sign), label);
    const choice = { checkpoints, checkpoint: name };
    const base = ["simulations", summary.simulation, "checkpoints", name];
    const operate = may("operate");
    return [
        operate && ["suspended", "down"].includes(simulation.state) && button("resume", "play", "Resume", () => resumeAction(simulation, refresh, choice), "primary"),
        operate && simulation.state === "running" && button("rewind", "back", "Rewind to it", () => rewindAction(simulation, refresh, choice), "primary"),
        operate && button("clone", "clone", "Clone", () => cloneAction(simulation, refresh, choice)),
        operate && button("clock", "clock", "Other clock", () => editClockAction(summary, refresh)),
        button("verify", "check", "Verify", () => verify(summary)),
        operate && !summary.sealed && button("seal", "lock", "Seal", () => seal(base, refresh)),
        h("a", { class: "button", href: path([...base, "archive"]), download: `${summary.simulation}@${name}.tar.zst`, "data-verb": "export" }, icon("save"), "Export"),
        operate && button("remove", "cross", "Remove", async () => {
            if (await removeAction(summary, children, () => {})) location.hash = link("simulations", summary.simulation);
        }, "danger"),
    ];
}

async function verify(summary) {
    const name = `${summary.simulation}@${summary.checkpoint}`;
    const dialog = new Dialog(`Verify ${name}`);
    const close = { label: "Close", submits: true, tone: "primary", action: () => dialog.close() };
    dialog.step(h("p", { role: "status" }, "Every file is being read and compared with what was saved…"), [close]);
    try {
        const report = await post(path(["simulations", summary.simulation, "checkpoints", summary.checkpoint, "verify"]), undefined, { signal: dialog.signal });
        const result = report.ok
            ? notice("ok", `${name} is whole: every file is what was saved.`)
            : notice("problem", `${name} is damaged`, reasonList(report.reasons), h("p", {}, "It cannot be resumed. Its parent and other checkpoints may be whole: verify them, too."));
        dialog.step(h("div", { id: "verified", "data-ok": String(report.ok) }, result), [close]);
    } catch (problem) {
        if (!dialog.signal.aborted) dialog.step(notice("problem", "It could not be verified", h("p", {}, problem.message)), [close]);
    }
}

async function seal(base, refresh) {
    announce("Waiting until all of it is on disk.");
    await attempt("Seal", async () => {
        await post(path([...base, "seal"]));
        announce("It is sealed.");
    });
    refresh();
}

function annotate(summary, refresh) {
    const text = Object.entries(summary.labels).map(([key, value]) => (value ? `${key}=${value}` : key)).join(", ");
    const fields = {
        labels: textField("Labels", { name: "labels", value: text, placeholder: "stage=login, keep", read: parseLabels }),
        note: noteField(summary.note ?? ""),
    };
    formAction(`Labels and note of ${summary.simulation}@${summary.checkpoint}`, "Save", fields, async ({ labels, note = "" }) => {
        if (Object.keys(labels).length > 64) throw new FieldError("A checkpoint has 64 labels at most.");
        // The API changes what it is told of: what is no more has to be said.
        const gone = Object.keys(summary.labels).filter((key) => !(key in labels)).map((key) => [key, null]);
        await patch(path(["simulations", summary.simulation, "checkpoints", summary.checkpoint]), { labels: { ...labels, ...Object.fromEntries(gone) }, note });
        refresh();
    });
}

function machinesCard(manifest, clocks) {
    const heads = [["Machine"], ["Host"], ["Stopped at, UTC"], ["Late by", "number"], ["RAM"], ["State", "number"], ["Clock"], ["QEMU"]];
    const read = new Map(clocks.machines.map((machine) => [machine.name, machine.clock]));
    return h(
        "section",
        { class: "card", "aria-labelledby": "machines-title" },
        h("div", { class: "section-head" }, h("h2", { id: "machines-title" }, "Machines")),
        h(
            "div",
            { class: "scroll", tabindex: "0", role: "region", "aria-labelledby": "machines-title" },
            h(
                "table",
                { class: "report" },
                h("thead", {}, h("tr", {}, heads.map(([head, kind]) => h("th", { scope: "col", class: kind ?? null }, head)))),
                h("tbody", {}, (manifest.machines ?? []).map((machine) => h(
                    "tr",
                    { key: machine.name },
                    h("th", { scope: "row" }, machine.name),
                    h("td", {}, machine.host),
                    h("td", { class: "mono" }, machine.stoppedAtNs === undefined ? "–" : formatInstant(machine.stoppedAtNs, 6)),
                    h("td", { class: "number" }, machine.stoppedAtNs === undefined ? "–" : formatOffset(machine.stoppedAtNs - manifest.instantNs)),
                    h("td", {}, `${ways[machine.ramWay] ?? machine.ramWay}${ramBytes(machine) ? `, ${formatBytes(ramBytes(machine))}` : ""}`),
                    h("td", { class: "number" }, formatBytes(machine.state?.bytes)),
                    h("td", { class: "clock" }, read.get(machine.name)?.rtcNs === undefined ? "–" : formatInstant(read.get(machine.name).rtcNs, 3)),
                    h("td", { class: "quiet" }, [machine.launch?.qemuVersion?.join("."), machine.launch?.pinnedMachineType].filter(Boolean).join(" · ")),
                ))),
            ),
        ),
    );
}

function ramBytes(machine) {
    return machine.ram?.bytes ?? machine.launch?.spec?.memoryBytes;
}

function clocksCard(clocks) {
    const heads = [["Machine"], ["Clock"], ["Kind"], ["Reads"], ["Step", "number"], ["Can be moved"]];
    return h(
        "section",
        { class: "card", "aria-labelledby": "clocks-title" },
        h("div", { class: "section-head" }, h("h2", { id: "clocks-title" }, "Every clock")),
        h(
            "div",
            { class: "scroll", tabindex: "0", role: "region", "aria-labelledby": "clocks-title" },
            h(
                "table",
                { class: "report" },
                h("thead", {}, h("tr", {}, heads.map(([head, kind]) => h("th", { scope: "col", class: kind ?? null }, head)))),
                h("tbody", {}, clocks.machines.flatMap((machine) => machine.clock.readings.map((reading, index) => h(
                    "tr",
                    { key: `${machine.name}-${reading.section}-${reading.instance}-${index}` },
                    h("th", { scope: "row" }, index === 0 ? machine.name : h("span", { class: "unseen" }, machine.name)),
                    h("td", {}, reading.device),
                    h("td", { class: "quiet" }, clockKind(reading.kind)),
                    h("td", { class: "clock" }, reads(reading)),
                    h("td", { class: "number" }, formatDuration(reading.resolutionNs)),
                    h("td", {}, reading.controllable ? "yes" : `no${reading.reason ? `: ${reading.reason}` : ""}`),
                )))),
            ),
        ),
    );
}

function reads(reading) {
    if (reading.readsNs === null || reading.readsNs === undefined) return "–";
    return reading.epoch === "unix" ? `${formatInstant(reading.readsNs, 3)} UTC` : `${formatDuration(reading.readsNs)} since it began`;
}
