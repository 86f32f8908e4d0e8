// Fields of forms: each has an `element`, and a `read()` that gives its value or throws a `FieldError` that the field shows.

import { h, render } from "./dom.js";
import { formatInstant, parseDuration, parseInstant, SECOND } from "./time.js";
import { hostNow } from "./host-clock.js";
import { policies } from "./words.js";

export class FieldError extends Error {}

let count = 0;
const fresh = (name) => `${name}-${(count += 1)}`;
const NAME = /^[a-z0-9][a-z0-9_-]{0,62}$/;

/** Reads every field; null when one of them is wrong, which then has the focus. */
export function readAll(fields) {
    const values = {};
    let first = null;
    for (const [name, field] of Object.entries(fields)) {
        try {
            field.complain("");
            values[name] = field.read();
        } catch (error) {
            if (!(error instanceof FieldError)) throw error;
            field.complain(error.message);
            first ??= field;
        }
    }
    first?.focus();
    return first ? null : values;
}

/** A line of text. */
export function textField(label, { name, value = "", hint, placeholder, read = (text) => text || undefined, multiline = false }) {
    const id = fresh(name);
    const input = h(multiline ? "textarea" : "input", {
        id, name, placeholder, "aria-describedby": `${id}-hint ${id}-error`, autocomplete: "off", spellcheck: multiline ? null : "false",
        ...(multiline ? { rows: 2 } : { type: "text" }),
    });
    input.value = value;
    return field(id, label, input, hint, () => read(input.value.trim()));
}

/** A name as everything here is called, or nothing. */
export function nameField(label, { name, value, hint, required = false }) {
    return textField(label, {
        name, value, hint,
        read: (text) => {
            if (text === "" && !required) return undefined;
            if (!NAME.test(text)) throw new FieldError("A name has lower-case letters, digits, - and _, begins with a letter or digit, and is no longer than 63.");
            return text;
        },
    });
}

export function selectField(label, { name, options, value, hint }) {
    const id = fresh(name);
    const input = h("select", { id, name, "aria-describedby": `${id}-hint ${id}-error` }, options.map(([key, text]) => h("option", { value: key, selected: key === value }, text)));
    return { ...field(id, label, input, hint, () => input.value), input };
}

export function checkField(label, { name, checked = false, hint }) {
    const id = fresh(name);
    const input = h("input", { type: "checkbox", id, name, checked, "aria-describedby": `${id}-hint` });
    return {
        element: h("div", { class: "field check" }, input, h("label", { for: id }, label), h("p", { class: "hint", id: `${id}-hint` }, hint)),
        input,
        read: () => input.checked,
        complain() {},
        focus: () => input.focus(),
    };
}

/** When: as soon as possible, in a while, or at an instant. Reads as the API's `When`. */
export function instantField({ label = "Instant", soonest = "As soon as every host can" } = {}) {
    return choiceField(label, "when", [
        { value: "soon", label: soonest, read: () => undefined },
        {
            value: "in", label: "In", placeholder: "2s", unit: "250ms, 2s, 5m, 3h",
            read: (text) => ({ inNs: duration(text) }),
        },
        {
            value: "at", label: "At", placeholder: formatInstant(hostNow() + 60n * SECOND, 0), unit: "UTC",
            read: (text) => {
                const instant = parseInstant(text);
                if (instant === null) throw new FieldError("Write an instant as 2026-12-31 23:59:50, in UTC.");
                if (instant < hostNow()) throw new FieldError("That instant has passed.");
                return { atNs: instant };
            },
        },
    ]);
}

/** The clock policy, as the API writes it. */
export function policyField() {
    return choiceField("Guests’ clocks", "policy", [
        { value: "continue", label: "As they were", hint: policies.continue[1], read: () => "continue" },
        { value: "host", label: "Catch up with the host", hint: policies.host[1], read: () => "host" },
        {
            value: "offset", label: "Moved by", placeholder: "+1h", unit: "+90s, -5m, +3d",
            read: (text) => {
                const match = /^([+-])(.+)$/.exec(text.replaceAll("−", "-"));
                if (!match || parseDuration(match[2]) === null) throw new FieldError("Write a sign and a duration: +1h, -5m, +90s.");
                return text.replaceAll("−", "-").replaceAll(" ", "");
            },
        },
        {
            value: "at", label: "Set to", placeholder: "2026-12-31T23:59:50Z", unit: "UTC",
            read: (text) => {
                if (parseInstant(text) === null) throw new FieldError("Write a time as 2026-12-31T23:59:50Z, in UTC.");
                const iso = text.replace(" ", "T");
                return `at=${/(Z|[+-]\d\d:?\d\d)$/i.test(iso) ? iso : `${iso}Z`}`;
            },
        },
    ]);
}

export function scopeField() {
    return selectField("Which clocks move", {
        name: "scope",
        options: [["rtc", "real-time clocks only"], ["all", "all clocks, uptime too"]],
        hint: "A running Linux reads its real-time clock at boot only; its wall clock follows the others.",
    });
}

/** `stage=login, keep`: an object of labels; nothing when empty. */
export function labelsField() {
    return textField("Labels", {
        name: "labels", placeholder: "stage=login, keep",
        read: (text) => {
            const labels = parseLabels(text);
            return Object.keys(labels).length > 0 ? labels : undefined;
        },
    });
}

export function parseLabels(text) {
    const pairs = text.split(",").map((part) => part.trim()).filter((part) => part !== "");
    return Object.fromEntries(pairs.map((pair) => {
        const [key, ...value] = pair.split("=");
        if (!/^[a-z0-9._/-]+$/.test(key)) throw new FieldError(`A label’s key has lower-case letters, digits and . _ / -: “${key}” has not.`);
        return [key, value.join("=")];
    }));
}

export function noteField(value = "") {
    return textField("Note", { name: "note", multiline: true, value });
}

function duration(text) {
    const value = parseDuration(text);
    if (value === null) throw new FieldError("Write a duration: 250ms, 2s, 5m, 3h.");
    return value;
}

/** Radio buttons, some of which have a text beside them. */
function choiceField(label, name, choices) {
    const id = fresh(name);
    const texts = new Map();
    const error = h("p", { class: "error", id: `${id}-error`, role: "alert" });
    const rows = choices.map((choice, index) => {
        const radio = h("input", { type: "radio", id: `${id}-${index}`, name: id, value: choice.value, checked: index === 0, "data-choice": `${name}-${choice.value}` });
        const row = h("div", { class: "choice" }, radio, h("label", { for: radio.id }, choice.label));
        if (choice.placeholder) {
            const input = h("input", {
                type: "text", name: `${name}-${choice.value}`, placeholder: choice.placeholder, autocomplete: "off", spellcheck: "false",
                "aria-label": `${label}: ${choice.label}`, "aria-describedby": error.id,
                on: { input: () => { radio.checked = true; } },
            });
            radio.addEventListener("change", () => input.focus());
            texts.set(choice.value, input);
            row.append(input, h("span", { class: "unit" }, choice.unit));
        } else if (choice.hint) row.append(h("span", { class: "unit" }, choice.hint));
        return row;
    });
    const element = h("fieldset", { class: "field" }, h("legend", {}, label), rows, error);
    const chosen = () => choices.find((choice) => choice.value === element.querySelector("input:checked").value);
    return {
        element,
        read() {
            const choice = chosen();
            return choice.read((texts.get(choice.value)?.value ?? "").trim());
        },
        complain: (message) => complain(error, texts.get(chosen().value), message),
        focus: () => (texts.get(chosen().value) ?? element.querySelector("input:checked")).focus(),
    };
}

function field(id, label, input, hint, read) {
    const error = h("p", { class: "error", id: `${id}-error`, role: "alert" });
    return {
        element: h("div", { class: "field" }, h("label", { for: id }, label), input, h("p", { class: "hint", id: `${id}-hint` }, hint), error),
        read,
        complain: (message) => complain(error, input, message),
        focus: () => input.focus(),
    };
}

function complain(error, input, message) {
    render(error, message);
    input?.setAttribute("aria-invalid", String(message !== ""));
}
