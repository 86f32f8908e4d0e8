// A machine's serial console: what its guest says, and keys for it, on whichever host it is. It finds its line again when the machine goes
// on, and goes on where it was.

import { open, path, post } from "./api.js";
import { Backoff } from "./backoff.js";
import { fromBase64, toBase64 } from "./base64.js";
import { h, render } from "./dom.js";
import { parse } from "./json.js";
import { eventsOf } from "./sse.js";
import { TerminalScreen } from "./terminal-screen.js";

/** So many lines are kept to be looked back at. */
const KEPT = 5_000;

const keys = {
    Enter: "\r", Backspace: "\x7f", Escape: "\x1b", Delete: "\x1b[3~", ArrowUp: "\x1b[A", ArrowDown: "\x1b[B", ArrowRight: "\x1b[C",
    ArrowLeft: "\x1b[D", Home: "\x1b[H", End: "\x1b[F",
};

export class Terminal {
    #path;
    #signal;
    #screen = new TerminalScreen();
    #lines = h("div", {});
    #line = h("div", { class: "terminal-line" });
    #text;
    #state = h("span", { class: "label", role: "status" });
    /** Of all that ever came out of the port: how much has been shown. */
    #end;
    /** Keys are sent in the order of their pressing. */
    #sending = Promise.resolve();

    constructor(simulation, machine, signal) {
        this.#path = path(["simulations", simulation, "machines", machine, "serial"]);
        this.#signal = signal;
        this.#text = h(
            "div",
            { class: "terminal-text", tabindex: "0", role: "log", "aria-label": `Serial console of ${machine}`, on: { keydown: (event) => this.#key(event), paste: (event) => this.#paste(event) } },
            this.#lines,
            this.#line,
        );
        const input = h("input", { type: "text", class: "mono", "aria-label": `A line for ${machine}`, placeholder: "Type a line, Enter sends it", autocomplete: "off", spellcheck: "false", autocapitalize: "off" });
        const send = (event) => {
            event.preventDefault();
            this.#send(`${input.value}\r`);
            input.value = "";
        };
        this.element = h(
            "section",
            { class: "terminal", "aria-label": `Console of ${machine}`, "data-console": machine },
            h("div", { class: "terminal-head" }, h("h2", {}, machine), this.#state),
            this.#text,
            h(
                "form",
                { class: "terminal-input", on: { submit: send } },
                input,
                h("button", { type: "submit" }, "Send"),
                h("button", { type: "button", title: "Interrupt what runs in the foreground", on: { click: () => this.#send("\x03") } }, "Ctrl-C"),
            ),
        );
        this.#run();
    }

    async #run() {
        const backoff = new Backoff({ first: 500, limit: 4_000 });
        while (!this.#signal.aborted) {
            this.#say("connecting");
            try {
                const headers = this.#end === undefined ? {} : { "Last-Event-ID": this.#end };
                const response = await open("GET", this.#path, { accept: "text/event-stream", headers, signal: this.#signal });
                backoff.reset();
                this.#say("connected");
                for await (const { id, data, event } of eventsOf(response)) {
                    this.#end = id ?? this.#end;
                    if (event === "output") this.#show(fromBase64(data));
                    else if (event === "state") this.#become(parse(data));
                }
                this.#say("the line has ended; it is looked for again");
            } catch (problem) {
                if (this.#signal.aborted) return;
                this.#say(problem.message);
            }
            await backoff.wait(this.#signal);
        }
    }

    #become({ state, message }) {
        this.#say(state === "connected" ? state : message);
    }

    #show(bytes) {
        const { lines, cleared } = this.#screen.write(bytes);
        const isAtEnd = this.#text.scrollTop + this.#text.clientHeight > this.#text.scrollHeight - 24;
        if (cleared) this.#lines.replaceChildren();
        this.#lines.append(...lines.map((line) => h("div", {}, line || "\u00a0")));
        while (this.#lines.childElementCount > KEPT) this.#lines.firstElementChild.remove();
        this.#line.textContent = this.#screen.line;
        if (isAtEnd) this.#text.scrollTop = this.#text.scrollHeight;
    }

    #key(event) {
        // Tab leaves the console, as everywhere on the page: nobody may be caught in it.
        if (event.metaKey || event.altKey || event.key === "Tab") return;
        let text = keys[event.key] ?? (event.key.length === 1 ? event.key : null);
        if (event.ctrlKey) {
            const letter = event.key.toLowerCase();
            const hasSelection = getSelection()?.toString() !== "";
            if (!/^[a-z]$/.test(letter) || letter === "v" || (letter === "c" && hasSelection)) return;
            text = String.fromCharCode(letter.charCodeAt(0) - 96);
        }
        if (text === null) return;
        event.preventDefault();
        this.#send(text);
    }

    #paste(event) {
        event.preventDefault();
        this.#send(event.clipboardData.getData("text").replace(/\r?\n/g, "\r"));
    }

    #send(text) {
        this.#sending = this.#sending.then(async () => {
            try {
                await post(this.#path, { base64: toBase64(new TextEncoder().encode(text)) });
            } catch (problem) {
                this.#say(problem.message);
            }
        });
    }

    #say(text) {
        render(this.#state, text);
    }
}
