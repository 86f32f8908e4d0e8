// When each machine really stopped or went on, beside the instant that was agreed on: QEMU's own stamps, how far they are
// from each other, and how far the hosts' clocks may be wrong.

import { h, render, svg } from "./dom.js";
import { formatDuration, formatOffset } from "./time.js";
import { makeZoomable, zoomButtons } from "./zoom.js";

const ROW = 30;
const TOP = 34;
const BOTTOM = 30;
const RIGHT = 24;

/** What is plotted of a report: offsets from the instant in nanoseconds, as numbers: they are small. */
export function stampsOf(report) {
    const offset = (ns) => (ns === undefined ? undefined : Number(ns - report.deadlineNs));
    return report.machines
        .map((machine) => ({
            name: machine.name,
            host: machine.host,
            sent: offset(machine.sentAtNs),
            stop: offset(machine.stoppedAtNs),
            resume: offset(machine.resumedAtNs ?? (machine.pauseNs !== undefined && machine.stoppedAtNs !== undefined ? machine.stoppedAtNs + machine.pauseNs : undefined)),
        }))
        .filter((stamp) => stamp.stop !== undefined || stamp.resume !== undefined);
}

/** A plot of one report. */
export class SpreadPlot {
    #report;
    #stamps;
    #bound;
    #all;
    #view;
    #plot = h("div", { class: "plot-area", tabindex: "0", role: "img" });
    #width = 700;

    constructor(report) {
        this.#report = report;
        this.#stamps = stampsOf(report);
        this.#bound = report.clockErrorBoundNs === null || report.clockErrorBoundNs === undefined ? null : Number(report.clockErrorBoundNs);
        this.#all = this.#domain();
        this.#view = [...this.#all];
        const actions = { zoom: (factor, at) => this.#zoom(factor, at), pan: (by) => this.#pan(by), fit: () => this.#fit() };
        makeZoomable(this.#plot, actions);
        this.#plot.setAttribute("aria-label", this.#words());
        this.element = h(
            "figure",
            { class: "spread" },
            h("div", { class: "section-head" }, h("figcaption", {}, this.#caption()), zoomButtons("stamps of the machines", actions)),
            this.#plot,
            this.#legend(),
        );
        new ResizeObserver(([entry]) => {
            this.#width = Math.max(260, entry.contentRect.width);
            this.#draw();
        }).observe(this.#plot);
        this.#draw();
    }

    /** First the main event of each machine: its STOP where it stopped, else its RESUME. */
    #main() {
        return this.#stamps.map((stamp) => stamp.stop ?? stamp.resume);
    }

    #domain() {
        const points = this.#stamps.flatMap((stamp) => [stamp.sent, stamp.stop ?? stamp.resume]).filter((point) => point !== undefined);
        if (points.length === 0) return [-1000, 1000];
        const reach = Math.min(this.#bound ?? 0, 20 * Math.max(...points.map(Math.abs), 1000));
        const low = Math.min(0, ...points, -reach);
        const high = Math.max(0, ...points, reach);
        const margin = Math.max((high - low) * 0.08, 500);
        return [low - margin, high + margin];
    }

    #caption() {
        const spread = this.#report.spreadNs;
        const verb = this.#report.kind === "suspend" || this.#report.kind === "checkpoint" ? "stopped" : "went on";
        if (this.#stamps.length === 1) return `It ${verb} ${formatOffset(BigInt(this.#main()[0]))} from the instant.`;
        return [`Spread `, h("strong", {}, spread === undefined ? "not known" : formatDuration(spread)), `: all ${this.#stamps.length} machines ${verb} within that.`];
    }

    #words() {
        const each = this.#stamps.map((stamp) => `${stamp.name} ${formatOffset(BigInt(stamp.stop ?? stamp.resume))}`).join(", ");
        return `Stamps of the machines, from the instant: ${each}. Plus and minus zoom, arrows move, 0 shows all.`;
    }

    #legend() {
        const has = (kind) => this.#stamps.some((stamp) => stamp[kind] !== undefined);
        const entry = (kind, text) => h("li", {}, svg("svg", { viewBox: "0 0 20 20", class: "key", "aria-hidden": "true" }, mark(kind, 10, 10)), text);
        return h(
            "ul",
            { class: "legend" },
            has("sent") && entry("sent", "command left"),
            has("stop") && entry("stop", "STOP, QEMU’s stamp"),
            has("resume") && entry("resume", "RESUME, QEMU’s stamp"),
            h("li", {}, h("span", { class: "key-band", "aria-hidden": "true" }), this.#bound === null ? "clock error not known: nothing disciplines a host’s clock" : `clock error ± ${formatDuration(BigInt(this.#bound))}`),
        );
    }

    #zoom(factor, at) {
        const [low, high] = this.#view;
        const size = Math.min(Math.max((high - low) / factor, 200), (this.#all[1] - this.#all[0]) * 4e6);
        const fixed = low + (high - low) * at;
        this.#view = [fixed - size * at, fixed + size * (1 - at)];
        this.#draw();
    }

    #pan(by) {
        const shift = (this.#view[1] - this.#view[0]) * by;
        this.#view = this.#view.map((end) => end + shift);
        this.#draw();
    }

    #fit() {
        this.#view = [...this.#all];
        this.#draw();
    }

    #draw() {
        const longest = Math.max(...this.#stamps.map((stamp) => stamp.name.length), 4);
        const left = Math.min(Math.max(70, longest * 7.6 + 18), this.#width * 0.34);
        const right = this.#width - RIGHT;
        const height = TOP + ROW * this.#stamps.length + BOTTOM;
        const [low, high] = this.#view;
        const x = (offset) => left + ((offset - low) / (high - low)) * (right - left);
        const floor = height - BOTTOM;
        const band = (from, to, name) => {
            const begin = Math.max(x(from), left);
            const end = Math.min(x(to), right);
            return end > begin && svg("rect", { class: name, x: begin, y: TOP - 6, width: Math.max(end - begin, 1), height: floor - TOP + 6 });
        };
        const visible = (offset) => offset !== undefined && x(offset) >= left - 1 && x(offset) <= right + 1;
        const main = this.#main();
        render(this.#plot, svg(
            "svg",
            { viewBox: `0 0 ${this.#width} ${height}`, width: this.#width, height, "aria-hidden": "true" },
            this.#bound !== null && band(-this.#bound, this.#bound, "bound-band"),
            main.length > 1 && band(Math.min(...main), Math.max(...main), "spread-band"),
            ticks(low, high, Math.max(2, Math.floor((right - left) / 110))).map(({ offset, label }) => [
                svg("line", { class: "grid", x1: x(offset), x2: x(offset), y1: TOP - 6, y2: floor }),
                svg("text", { class: "tick", x: x(offset), y: floor + 18, "text-anchor": "middle" }, label),
            ]),
            visible(0) && [
                svg("line", { class: "deadline", x1: x(0), x2: x(0), y1: TOP - 12, y2: floor }),
                svg("text", { class: "deadline-label", x: x(0), y: TOP - 18, "text-anchor": x(0) > right - 40 ? "end" : x(0) < left + 40 ? "start" : "middle" }, "instant"),
            ],
            this.#stamps.map((stamp, index) => {
                const y = TOP + ROW * (index + 0.5);
                const at = stamp.stop ?? stamp.resume;
                const from = Math.max(x(at - (this.#bound ?? 0)), left);
                const to = Math.min(x(at + (this.#bound ?? 0)), right);
                return [
                    svg("text", { class: "row-label", x: left - 12, y: y + 4, "text-anchor": "end" }, shortened(stamp.name, left / 7.6)),
                    svg("line", { class: "row", x1: left, x2: right, y1: y, y2: y }),
                    stamp.stop !== undefined && stamp.resume !== undefined && x(stamp.resume) > left && x(stamp.stop) < right &&
                        svg("line", { class: "pause", x1: Math.max(x(stamp.stop), left), x2: Math.min(x(stamp.resume), right), y1: y, y2: y }),
                    this.#bound !== null && to > from && svg("line", { class: "whisker", x1: from, x2: to, y1: y, y2: y }),
                    visible(stamp.sent) && mark("sent", x(stamp.sent), y),
                    visible(stamp.resume) && mark("resume", x(stamp.resume), y),
                    visible(stamp.stop) && mark("stop", x(stamp.stop), y),
                    visible(at) && svg("title", {}, `${stamp.name}: ${formatOffset(BigInt(at))}`),
                ];
            }),
        ));
    }
}

function mark(kind, x, y) {
    if (kind === "sent") return svg("line", { class: "mark-sent", x1: x, x2: x, y1: y - 5, y2: y + 5 });
    return svg("circle", { class: `mark-${kind}`, cx: x, cy: y, r: 5 });
}

/** Round offsets between two, some so many. */
function ticks(low, high, count) {
    const rough = (high - low) / count;
    const power = 10 ** Math.floor(Math.log10(rough));
    const step = [1, 2, 5, 10].map((digit) => digit * power).find((size) => size >= rough) ?? power * 10;
    const found = [];
    for (let offset = Math.ceil(low / step) * step; offset <= high; offset += step) {
        const rounded = Math.round(offset);
        found.push({ offset: rounded, label: rounded === 0 ? "0" : formatOffset(BigInt(rounded)).replace(/\.0+(?= )|(?<=\.\d*[1-9])0+(?= )/, "") });
    }
    return found;
}

function shortened(text, length) {
    return text.length > length ? `${text.slice(0, Math.max(3, length - 1))}…` : text;
}
