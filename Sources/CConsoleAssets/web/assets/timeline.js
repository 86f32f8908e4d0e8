// One simulation's timeline, drawn: its lanes from left to right, each point a button.

import { h, render, svg } from "./dom.js";
import { hostNow } from "./host-clock.js";
import { icon } from "./icons.js";
import { historyOf, timeScale } from "./timeline-model.js";
import { formatDuration, formatInstant, formatTimeOfDay } from "./time.js";
import { kinds, outcomes } from "./words.js";

const LANE = 62;
const TOP = 44;
const SIDE = 44;
const AXIS = 30;
/** A point and its name need so much room when intervals are drawn evenly. */
const ROOM = 84;

export class Timeline {
    #onSelect;
    #zoom = 1;
    #mode = "even";
    #width = 800;
    #history = { lanes: 0, spans: [], points: [] };
    #data = null;
    #selected = null;
    #area = h("div", { class: "timeline-area" });
    #choice;
    #followsEnd = true;
    /** Until an older one is chosen, the newest instant is: it is what one looks for first. */
    #followsNewest = true;

    /** @param onSelect called with a point when one is chosen */
    constructor(onSelect) {
        this.#onSelect = onSelect;
        const button = (sign, label, action) => h("button", { type: "button", class: "icon-button", title: label, "aria-label": `${label}: timeline`, on: { click: action } }, icon(sign));
        this.#choice = h(
            "select",
            { "aria-label": "How time is drawn", class: "small", on: { change: (event) => { this.#mode = event.target.value; this.#draw(); } } },
            h("option", { value: "even" }, "drawn evenly"),
            h("option", { value: "true" }, "to scale"),
        );
        this.element = h(
            "section",
            { class: "card timeline", "aria-label": "Timeline" },
            h(
                "div",
                { class: "section-head" },
                h("h2", {}, "Timeline"),
                h("div", { class: "zoom" }, h("label", { class: "label" }, "Time ", this.#choice), button("plus", "Zoom in", () => this.#zoomBy(1.5)), button("minus", "Zoom out", () => this.#zoomBy(1 / 1.5)), button("fit", "Show all", () => this.#zoomBy(0))),
            ),
            this.#area,
            h(
                "ul",
                { class: "legend" },
                h("li", {}, h("span", { class: "key-run" }), "runs"),
                h("li", {}, h("span", { class: "key-pause" }), "held, as a checkpoint"),
                h("li", {}, h("span", { class: "key-branch" }), "went on from there"),
            ),
        );
        this.#area.addEventListener("keydown", (event) => this.#key(event));
        this.#area.addEventListener("wheel", (event) => {
            if (!event.ctrlKey && !event.metaKey) return;
            event.preventDefault();
            this.#zoomBy(Math.exp(-event.deltaY / 200));
        }, { passive: false });
        this.#area.addEventListener("scroll", () => {
            this.#followsEnd = this.#area.scrollLeft + this.#area.clientWidth > this.#area.scrollWidth - 8;
        });
        new ResizeObserver(([entry]) => {
            this.#width = entry.contentRect.width;
            this.#draw();
        }).observe(this.#area);
    }

    get selected() {
        return this.#history.points.find((point) => keyOf(point) === this.#selected) ?? null;
    }

    update(simulation, operations, checkpoints) {
        this.#data = { simulation, checkpoints };
        this.#history = historyOf(simulation, operations, checkpoints, hostNow());
        if (this.#followsNewest || !this.selected) this.#selected = keyOf(this.#newest());
        this.#draw();
    }

    #newest() {
        const { points } = this.#history;
        return points.findLast((point) => point.kind !== "attempt" && point.operation) ?? points.at(-1);
    }

    #zoomBy(factor) {
        this.#zoom = factor === 0 ? 1 : Math.min(Math.max(this.#zoom * factor, 1), 400);
        this.#draw();
    }

    #key(event) {
        if (event.ctrlKey || event.metaKey || event.altKey) return;
        if (event.key === "+" || event.key === "=") this.#zoomBy(1.5);
        else if (event.key === "-") this.#zoomBy(1 / 1.5);
        else if (event.key === "0") this.#zoomBy(0);
        else if (["ArrowLeft", "ArrowRight", "Home", "End"].includes(event.key)) this.#step(event.key);
        else return;
        event.preventDefault();
    }

    /** Arrows go from point to point, as in a list. */
    #step(key) {
        const points = this.#inOrder();
        const now = points.findIndex((point) => keyOf(point) === this.#selected);
        const next = { ArrowLeft: now - 1, ArrowRight: now + 1, Home: 0, End: points.length - 1 }[key];
        const point = points[Math.min(Math.max(next, 0), points.length - 1)];
        if (!point) return;
        this.#select(point);
        this.#area.querySelector('[aria-pressed="true"]')?.focus();
    }

    #inOrder() {
        return [...this.#history.points].sort((a, b) => (a.atNs < b.atNs ? -1 : a.atNs > b.atNs ? 1 : a.lane - b.lane));
    }

    #select(point) {
        this.#selected = keyOf(point);
        this.#followsNewest = point === this.#newest();
        this.#draw();
        this.#onSelect(point);
    }

    #draw() {
        const { lanes, spans, points } = this.#history;
        if (points.length === 0) {
            render(this.#area, h("p", { class: "quiet" }, "Nothing has happened yet that is known here."));
            return;
        }
        const instants = [...points.map((point) => point.atNs), ...spans.flatMap((span) => (span.open ? [span.fromNs, span.toNs] : [span.fromNs]))];
        const scale = timeScale(instants, this.#mode);
        const wanted = this.#mode === "even" ? scale.sorted.length * ROOM : 0;
        const width = Math.max(this.#width, wanted, 240) * this.#zoom;
        const height = TOP + lanes * LANE + AXIS;
        const x = (ns) => SIDE + scale.at(ns) * (width - 2 * SIDE);
        const y = (lane) => TOP + (lane + 0.4) * LANE;
        render(this.#area, svg(
            "svg",
            { viewBox: `0 0 ${width} ${height}`, width, height, role: "group", "aria-label": "Instants, from the oldest to the newest; arrows go from one to the next" },
            this.#axis(scale, x, height, width),
            [...spans].sort((a, b) => order(a) - order(b)).map((span) => this.#span(span, x, y)),
            this.#inOrder().map((point) => this.#point(point, x, y)),
        ));
        if (this.#followsEnd) this.#area.scrollLeft = this.#area.scrollWidth;
    }

    #axis(scale, x, height, width) {
        const floor = height - AXIS;
        let last = -Infinity;
        let day = "";
        return [
            svg("line", { class: "grid", x1: 0, x2: width, y1: floor, y2: floor }),
            scale.sorted.map((ns) => {
                if (x(ns) - last < 86) return null;
                last = x(ns);
                const date = formatInstant(ns, 0).slice(0, 10);
                const isNew = date !== day;
                day = date;
                return [
                    svg("line", { class: "grid", x1: x(ns), x2: x(ns), y1: TOP - 24, y2: floor + 4 }),
                    svg("text", { class: "tick", x: x(ns), y: floor + 17, "text-anchor": "middle" }, formatTimeOfDay(ns, 0)),
                    isNew && svg("text", { class: "tick day", x: x(ns), y: 12, "text-anchor": "middle" }, date),
                ];
            }),
        ];
    }

    #span(span, x, y) {
        const line = (name, from, to, text) => svg("line", { class: name, x1: x(from), x2: x(to), y1: y(span.lane), y2: y(span.lane) }, svg("title", {}, text));
        if (span.kind === "run") {
            const text = span.lostBeforeNs !== undefined ? "ran; it is not known until when" : `${span.open ? "has been running for" : "ran for"} ${formatDuration(span.toNs - span.fromNs)}`;
            return [
                span.toNs > span.fromNs && line(span.open ? "run open" : "run", span.fromNs, span.toNs, text),
                span.lostBeforeNs !== undefined && line("run lost", span.toNs, span.toNs + (span.lostBeforeNs - span.toNs) / 2n, text),
            ];
        }
        if (span.kind === "pause") return line("pause", span.fromNs, span.toNs, `held for ${formatDuration(span.toNs - span.fromNs)}`);
        const [from, to] = [x(span.fromNs), x(span.toNs)];
        const [high, low] = [y(span.fromLane), y(span.lane)];
        const bend = Math.min(26, Math.max(6, (to - from) / 2));
        return svg("path", { class: "branch", d: `M${from} ${high}C${from} ${low} ${from} ${low} ${from + bend} ${low}H${to}` });
    }

    #point(point, x, y) {
        const isSelected = keyOf(point) === this.#selected;
        const [left, middle] = [x(point.atNs), y(point.lane)];
        const isHere = point.name !== undefined && point.kind !== "resume" && this.#data.checkpoints.some((checkpoint) => checkpoint.checkpoint === point.name && checkpoint.current);
        return svg(
            "g",
            {
                class: `point ${point.kind}${isHere ? " here" : ""}`, role: "button", tabindex: isSelected ? "0" : "-1", key: keyOf(point),
                "aria-pressed": String(isSelected), "aria-label": describe(point), "data-point": point.name ?? point.kind,
                transform: `translate(${left} ${middle})`,
                on: {
                    click: () => this.#select(point),
                    keydown: (event) => {
                        if (event.key !== "Enter" && event.key !== " ") return;
                        event.preventDefault();
                        this.#select(point);
                    },
                },
            },
            svg("title", {}, describe(point)),
            svg("circle", { class: "halo", r: 16 }),
            shapeOf(point),
            point.name && point.kind !== "resume" && svg("text", { class: "name", y: -21, "text-anchor": "middle" }, point.name.length > 12 ? `${point.name.slice(0, 11)}…` : point.name),
        );
    }
}

function order(span) {
    return { branch: 0, pause: 1, run: 2 }[span.kind];
}

function keyOf(point) {
    return point ? point.operation?.operation ?? `checkpoint ${point.name}` : null;
}

function shapeOf(point) {
    if (point.kind === "start" || point.kind === "resume") return svg("path", { class: "shape", d: "M-4 -5.5 6 0-4 5.5Z" });
    if (point.kind === "attempt") return svg("path", { class: "shape", d: "M-4-4 4 4M4-4-4 4" });
    if (point.kind === "suspend") return [svg("circle", { class: "ground", r: 8.5 }), svg("path", { class: "shape", d: "M-5-5.5H-1.5V5.5H-5ZM1.5-5.5H5V5.5H1.5Z" })];
    return svg("circle", { class: "shape", r: 6 });
}

function describe(point) {
    const when = `${formatInstant(point.atNs, 3)} UTC`;
    if (point.kind === "edited") return `${point.name}, ${when}`;
    const what = kinds[point.operation.kind] ?? point.operation.kind;
    const name = point.name ? ` ${point.kind === "resume" ? "of" : "to"} ${point.name}` : "";
    const outcome = point.kind === "attempt" ? `, ${outcomes[point.operation.report.outcome] ?? "over"}` : "";
    return `${what}${name}${outcome}, ${when}`;
}
