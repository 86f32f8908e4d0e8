// A modal dialog whose content changes from step to step. The browser keeps the focus in it and lets Escape close it.

import { h, render } from "./dom.js";
import { icon } from "./icons.js";

let count = 0;

export class Dialog {
    #title;
    #body;
    #buttons;
    #closing = new AbortController();

    constructor(title, { wide = false } = {}) {
        const id = `dialog-${(count += 1)}`;
        this.#title = h("h2", { id: `${id}-title`, tabindex: "-1" }, title);
        this.#body = h("div", { class: "dialog-body" });
        this.#buttons = h("div", { class: "dialog-buttons" });
        const close = h("button", { type: "button", class: "icon-button", "aria-label": "Close", on: { click: () => this.close() } }, icon("cross"));
        this.#form = h(
            "form",
            { method: "dialog", novalidate: true, on: { submit: (event) => { event.preventDefault(); this.#submit?.(); } } },
            h("div", { class: "dialog-head" }, this.#title, close),
            this.#body,
            this.#buttons,
        );
        this.element = h("dialog", { "aria-labelledby": `${id}-title`, class: wide ? "wide" : "", on: { close: () => this.#closed() } }, this.#form);
        document.body.append(this.element);
        this.element.showModal();
    }

    #form;
    #submit;

    /** Given when the dialog is closed, by whatever. */
    get signal() {
        return this.#closing.signal;
    }

    /**
     * Shows a step.
     * @param content elements
     * @param buttons `{label, action, tone, id, disabled}`; the last is what Enter does, if its `submits` is true
     */
    step(content, buttons = [], { title, focus } = {}) {
        if (title) this.#title.textContent = title;
        this.#body.replaceChildren(...[content].flat(Infinity).filter(Boolean));
        this.setButtons(buttons);
        this.#body.scrollTop = 0;
        const target = focus === "title" ? this.#title : this.#body.querySelector("input:not([type=radio]), select, textarea, input:checked") ?? this.#buttons.querySelector("button");
        (target ?? this.#title).focus();
    }

    setButtons(buttons) {
        this.#submit = buttons.find((button) => button.submits && !button.disabled)?.action;
        render(this.#buttons, buttons.map(({ label, action, tone = "", id, disabled, submits }) => h(
            "button",
            { type: submits ? "submit" : "button", class: tone, id, key: id ?? label, disabled, on: submits ? {} : { click: action } },
            label,
        )));
    }

    close() {
        if (this.element.open) this.element.close();
    }

    #closed() {
        this.#closing.abort();
        this.element.remove();
    }
}

/** Asks; resolves to whether the answer was yes. */
export function confirmation(title, content, { label, tone = "danger" }) {
    return new Promise((resolve) => {
        const dialog = new Dialog(title);
        let answer = false;
        dialog.signal.addEventListener("abort", () => resolve(answer));
        dialog.step(content, [
            { label: "Leave it", action: () => dialog.close() },
            { label, tone, id: "confirm", submits: true, action: () => { answer = true; dialog.close(); } },
        ], { focus: "title" });
    });
}
