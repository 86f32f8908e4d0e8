// What can be done to simulations and checkpoints, each as a dialog.

import { open, path, post, remove } from "./api.js";
import { announce } from "./announce.js";
import { confirmation, Dialog } from "./dialog.js";
import { h } from "./dom.js";
import { checkField, FieldError, instantField, labelsField, nameField, noteField, policyField, readAll, scopeField, selectField, textField } from "./fields.js";
import { notice, noteList, problemNotice, reasonList } from "./notices.js";
import { operate } from "./operate.js";
import { link } from "./router.js";
import { formatBytes } from "./bytes.js";
import { plural } from "./words.js";
import { parse } from "./json.js";

const of = (simulation, verb) => path(["simulations", simulation.simulation, verb]);
const machinesOf = (simulation) => plural(simulation.machines.length || simulation.spec?.machines?.length || 0, "machine");
/** What is as the API has it anyway is left out of requests. */
const unless = (value, usual) => (value === usual ? undefined : value);

export function suspendAction(simulation, refresh) {
    saveAction(simulation, refresh, {
        verb: "Suspend",
        route: "suspend",
        says: (name) => `All ${machinesOf(simulation)} of ${simulation.simulation} stop at one instant and are saved as ${name}; then their processes end. Nothing inside the guests notices.`,
    });
}

export function checkpointAction(simulation, refresh) {
    saveAction(simulation, refresh, {
        verb: "Checkpoint",
        route: "checkpoint",
        says: (name) => `All ${machinesOf(simulation)} of ${simulation.simulation} are saved as they are at one instant, as ${name}, and run on a moment later.`,
    });
}

function saveAction(simulation, refresh, { verb, route, says }) {
    operate({
        title: `${verb} ${simulation.simulation}`,
        verb,
        simulation,
        refresh,
        fields: {
            when: instantField(),
            checkpoint: nameField("Name of the checkpoint", { name: "checkpoint", hint: "Left empty, the next of s1, s2…" }),
            labels: labelsField(),
            note: noteField(),
        },
        route: () => ({ path: of(simulation, route), plans: true }),
        body: (values) => values,
        says: (values) => [says(values.checkpoint ? `${simulation.simulation}@${values.checkpoint}` : "the next checkpoint")],
    });
}

export function startAction(simulation, refresh) {
    operate({
        title: `Start ${simulation.simulation}`,
        verb: "Start",
        simulation,
        refresh,
        fields: { when: instantField() },
        route: () => ({ path: of(simulation, "up"), plans: false }),
        body: ({ when }) => ({ spec: simulation.spec, when }),
        says: () => [`All ${machinesOf(simulation)} of ${simulation.simulation} are launched anew, as its manifest described them, and begin at one instant.`],
    });
}

/** @param checkpoints to choose from, oldest first; without them the one that it stands at */
export function resumeAction(simulation, refresh, { checkpoints = [], checkpoint = simulation.checkpoint } = {}) {
    const fields = {
        checkpoint: checkpointField(checkpoints, checkpoint),
        when: instantField(),
        policy: policyField(),
        scope: scopeField(),
        ram: selectField("The checkpoint’s RAM", {
            name: "ram",
            options: [["keep", "stays; machines run on a view where they must"], ["copy", "is copied first"], ["consume", "is given away: nobody can resume it again"], ["ephemeral", "is only looked at: what machines write is gone with them"]],
        }),
    };
    operate({
        title: `Resume ${simulation.simulation}`,
        verb: "Resume",
        simulation,
        refresh,
        fields,
        layout: [fields.checkpoint.element, fields.when.element, fields.policy.element, h("div", { class: "columns" }, fields.scope.element, fields.ram.element)],
        route: ({ ram }) => ({ path: of(simulation, "resume"), plans: true, destructive: ram === "consume" }),
        body: (values) => ({ ...values, policy: unless(values.policy, "continue"), scope: unless(values.scope, "rtc"), ram: unless(values.ram, "keep") }),
        says: (values) => [
            `${simulation.simulation} goes on from ${simulation.simulation}@${values.checkpoint}, all machines at one instant.`,
            sayPolicy(values.policy),
            values.ram === "consume" && "The checkpoint’s RAM is given away: it cannot be resumed again.",
        ].filter(Boolean),
    });
}

export function rewindAction(simulation, refresh, { checkpoints = [], checkpoint } = {}) {
    const runs = simulation.state === "running";
    const discard = checkField("End what runs without saving it", { name: "discard", hint: "What happened since the last checkpoint is lost." });
    const fields = {
        checkpoint: checkpointField(checkpoints, checkpoint ?? simulation.checkpoint),
        when: instantField({ label: runs ? "What runs stops" : "Instant" }),
        keepAs: nameField("Keep what runs as", { name: "keepAs", hint: "Left empty, the next of s1, s2…" }),
        discard,
        policy: policyField(),
        scope: scopeField(),
    };
    const layout = [fields.checkpoint, fields.when, runs && fields.keepAs, runs && discard, fields.policy, fields.scope];
    operate({
        title: `Rewind ${simulation.simulation}`,
        verb: "Rewind",
        simulation,
        refresh,
        fields,
        layout: layout.filter(Boolean).map((field) => field.element),
        route: (values) => ({ path: of(simulation, "rewind"), plans: true, destructive: values.discard }),
        body: (values) => ({
            ...values, policy: unless(values.policy, "continue"), scope: unless(values.scope, "rtc"), discard: values.discard || undefined,
            keepAs: values.discard ? undefined : values.keepAs,
        }),
        says: (values) => [
            runs && (values.discard ? "What runs is ended without being saved." : `What runs is suspended and kept as ${values.keepAs ? `${simulation.simulation}@${values.keepAs}` : "a checkpoint of its own"}.`),
            `Then ${simulation.simulation} goes on from ${simulation.simulation}@${values.checkpoint}.`,
            sayPolicy(values.policy),
        ].filter(Boolean),
    });
}

export function cloneAction(simulation, refresh, { checkpoints = [], checkpoint = simulation.checkpoint } = {}) {
    const fields = {
        checkpoint: checkpointField(checkpoints, checkpoint),
        name: nameField("Name of the clone", { name: "name", required: true }),
        count: textField("How many", {
            name: "count", value: "1", hint: "More than one are called NAME-1, NAME-2…",
            read: (text) => {
                const count = Number(text || "1");
                if (!Number.isInteger(count) || count < 1 || count > 100) throw new FieldError("From 1 to 100.");
                return count === 1 ? undefined : count;
            },
        }),
        newMACs: checkField("Give network cards other addresses", { name: "newMACs", hint: "Guests know their cards by these: only for clones that meet the original on one network." }),
        when: instantField(),
        policy: policyField(),
        scope: scopeField(),
    };
    operate({
        title: `Clone ${simulation.simulation}`,
        verb: "Clone",
        simulation,
        refresh,
        fields,
        layout: [fields.checkpoint.element, h("div", { class: "columns" }, fields.name.element, fields.count.element), fields.newMACs.element, fields.when.element, fields.policy.element, fields.scope.element],
        route: (values) => ({ path: path(["simulations", simulation.simulation, "checkpoints", values.checkpoint, "clone"]), plans: false }),
        body: ({ checkpoint: _, ...values }) => ({ ...values, policy: unless(values.policy, "continue"), scope: unless(values.scope, "rtc"), newMACs: values.newMACs || undefined }),
        says: (values) => [
            `${values.count ? `${values.count} new simulations, ${values.name}-1 to ${values.name}-${values.count}, go` : `A new simulation ${values.name} goes`} on from ${simulation.simulation}@${values.checkpoint}. ${simulation.simulation} stays as it is.`,
            sayPolicy(values.policy),
        ],
    });
}

export async function downAction(simulation, refresh) {
    const yes = await confirmation(`Take ${simulation.simulation} down?`, [
        h("p", {}, `All ${machinesOf(simulation)} of ${simulation.simulation} end at once, without being saved. What happened since the last checkpoint is lost; checkpoints stay.`),
    ], { label: "Take it down" });
    if (!yes) return;
    await attempt(`Take ${simulation.simulation} down`, async () => {
        const { machines } = await post(of(simulation, "down"));
        announce(`${plural(machines.length, "machine")} ended.`);
    });
    refresh();
}

export async function removeAction(checkpoint, children, refresh) {
    const name = `${checkpoint.simulation}@${checkpoint.checkpoint}`;
    const recursive = checkField("Also all that grew from it", { name: "recursive", hint: children.length > 0 ? children.map((child) => child.checkpoint).join(", ") : "" });
    const yes = await confirmation(`Remove ${name}?`, [
        h("p", {}, `It is removed for good, ${formatBytes(checkpoint.bytes)}. Nothing is removed while something stands at it or lies on its disks.`),
        children.length > 0 && recursive.element,
    ], { label: "Remove it" });
    if (!yes) return false;
    const gone = await attempt(`Remove ${name}`, async () => {
        await remove(path(["simulations", checkpoint.simulation, "checkpoints", checkpoint.checkpoint], { recursive: recursive.read() ? true : undefined }));
        announce(`${name} is removed.`);
    });
    refresh();
    return gone;
}

/** Writes a checkpoint beside one, which differs in what its clocks read. */
export function editClockAction(checkpoint, refresh) {
    const fields = { checkpoint: nameField("Name of the new checkpoint", { name: "checkpoint", hint: "Left empty, the next of s1, s2…" }), policy: policyField(), scope: scopeField() };
    formAction(`Another clock for ${checkpoint.simulation}@${checkpoint.checkpoint}`, "Write it", fields, async (values) => {
        const made = await post(path(["simulations", checkpoint.simulation, "checkpoints", checkpoint.checkpoint, "clocks"]), values);
        refresh();
        location.hash = link("simulations", checkpoint.simulation, "checkpoints", made.summary.checkpoint);
    }, h("p", { class: "quiet" }, "A checkpoint is written beside this one; this one stays as it is."));
}

export function importAction(refresh) {
    const file = h("input", { type: "file", id: "archive", name: "archive", accept: ".zst,.tar.zst,application/zstd" });
    const archive = {
        element: h("div", { class: "field" }, h("label", { for: "archive" }, "Archive"), file, h("p", { class: "hint" }, "As ", h("kbd", {}, "fermata export"), " or a checkpoint’s page makes it.")),
        read: () => file.files[0] ?? null,
        complain() {},
        focus: () => file.focus(),
    };
    const fields = { archive, as: textField("Call it", { name: "as", placeholder: "SIM or SIM@NAME", hint: "Left empty, as it was called." }) };
    formAction("Import a checkpoint", "Import", fields, async ({ archive, as }, dialog) => {
        if (!archive) throw new FieldError("Choose an archive first.");
        const response = await open("POST", `/v1/import${as ? `?${new URLSearchParams({ as })}` : ""}`, { body: archive, headers: { "Content-Type": "application/zstd" } });
        const report = parse(await response.text());
        refresh();
        dialog.step([
            notice("ok", `${report.simulation}@${report.checkpoint} is here, ${formatBytes(report.bytes)}.`, report.reasons.length > 0 && [h("p", {}, "It cannot be resumed here as things are:"), reasonList(report.reasons)], noteList(report.notes)),
        ], [{ label: "Close", submits: true, tone: "primary", action: () => dialog.close() }]);
        return true;
    });
}

/** A form whose request is answered at once. `send` returns true when it shows something itself. */
export function formAction(title, label, fields, send, ...more) {
    const dialog = new Dialog(title);
    const error = h("div", { role: "alert" });
    const submit = async () => {
        const values = readAll(fields);
        if (!values) return;
        dialog.setButtons(buttons(true));
        try {
            if (!(await send(values, dialog))) dialog.close();
        } catch (problem) {
            error.replaceChildren(problem instanceof FieldError ? notice("problem", problem.message) : problemNotice(problem));
            dialog.setButtons(buttons(false));
        }
    };
    const buttons = (disabled) => [{ label: "Cancel", action: () => dialog.close() }, { label, tone: "primary", id: "confirm", submits: true, disabled, action: submit }];
    dialog.step([more, h("div", { class: "form" }, Object.values(fields).map((field) => field.element)), error], buttons(false));
}

/** Does something; what goes wrong is shown in a dialog. Resolves to whether it went well. */
export async function attempt(title, action) {
    try {
        await action();
        return true;
    } catch (problem) {
        const dialog = new Dialog(title);
        dialog.step(problemNotice(problem), [{ label: "Close", submits: true, tone: "primary", action: () => dialog.close() }]);
        return false;
    }
}

function checkpointField(checkpoints, chosen) {
    const names = checkpoints.length > 0 ? checkpoints.map((checkpoint) => checkpoint.checkpoint).reverse() : [chosen].filter(Boolean);
    const option = (name) => {
        const checkpoint = checkpoints.find((one) => one.checkpoint === name);
        const labels = Object.entries(checkpoint?.labels ?? {}).map(([key, value]) => (value ? `${key}=${value}` : key));
        const more = [labels.join(", "), checkpoint?.note].filter(Boolean).join(" · ");
        return [name, more ? `${name} – ${more.slice(0, 60)}` : name];
    };
    return selectField("Checkpoint", { name: "checkpoint", options: names.map(option), value: chosen });
}

function sayPolicy(policy) {
    if (policy === "continue") return "Guests’ clocks go on as they were.";
    if (policy === "host") return "Guests’ clocks catch up with the host’s.";
    if (policy.startsWith("at=")) return `Guests’ clocks are set to ${policy.slice(3)}.`;
    return `Guests’ clocks are moved by ${policy}.`;
}
