// An operation under way: its phases, the time until the instant, the stages as they come.

import { announce } from "./announce.js";
import { post, path } from "./api.js";
import { h, render } from "./dom.js";
import { problemNotice } from "./notices.js";
import { canCancel, follow } from "./operations.js";
import { stageBars } from "./report-view.js";
import { ticking } from "./ticker.js";
import { formatDuration, formatInstant } from "./time.js";
import { phaseIndex, phases } from "./words.js";

export class Progress {
    #operation;
    #signal;
    #onChange;
    #phase = "preparing";
    #deadline;
    #stages = [];
    #isCancelling = false;
    element = h("div", { class: "progress" });

    /** @param onChange called when what can be done about it may be different */
    constructor(operation, signal, onChange = () => {}) {
        this.#operation = operation;
        this.#signal = signal;
        this.#onChange = onChange;
        this.#draw();
    }

    get canCancel() {
        return canCancel(this.#phase) && !this.#isCancelling;
    }

    /** Resolves to the report; to nothing when the signal is given first. Throws a `Problem` when it cannot be followed. */
    async result() {
        for await (const event of follow(this.#operation, this.#signal)) {
            if (event.event === "result") {
                announce(`The operation is over: ${event.outcome}.`);
                return event;
            }
            if (event.event === "phase") this.#enter(event);
            if (event.event === "stage") this.#stages.push(event);
            this.#draw();
        }
        return undefined;
    }

    async cancel() {
        this.#isCancelling = true;
        this.#onChange();
        this.#draw();
        try {
            await post(path(["operations", this.#operation, "cancel"]));
        } catch (problem) {
            // It may have ended just now: then its result says so.
            if (problem.code !== "operation-not-found") this.element.append(problemNotice(problem));
        }
    }

    #enter({ phase, deadlineNs }) {
        if (phase !== this.#phase) announce(phases[phaseIndex(phase)]?.[1] ?? phase);
        this.#phase = phase;
        this.#deadline = deadlineNs ?? this.#deadline;
        this.#onChange();
    }

    #draw() {
        const now = phaseIndex(this.#phase);
        const deadline = this.#deadline;
        render(
            this.element,
            h("ol", { class: "phases" }, phases.map(([name, label, hint], index) => h(
                "li",
                { key: name, class: index < now ? "past" : index === now ? "now" : "", "aria-current": index === now ? "step" : null, title: hint },
                label,
            ))),
            h("p", { class: "phase-words" }, this.#isCancelling ? "Told to call it off…" : phases[now]?.[2] ?? ""),
            deadline !== undefined && h(
                "p",
                { class: "countdown" },
                ticking((time) => (deadline > time ? `${formatDuration(((deadline - time) / 100_000_000n) * 100_000_000n)} until the instant` : "The instant has passed."), { class: "countdown-time", role: "timer" }),
                h("span", { class: "quiet mono" }, `${formatInstant(deadline, 6)} UTC`),
            ),
            this.#stages.length > 0 && stageBars(this.#stages),
        );
    }
}
