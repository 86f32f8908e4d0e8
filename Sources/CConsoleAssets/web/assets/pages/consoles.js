// Serial consoles of a simulation's machines, some of them side by side.

import { get, path } from "../api.js";
import { h, island } from "../dom.js";
import { emptyState } from "../notices.js";
import { link } from "../router.js";
import { Terminal } from "../terminal.js";
import { liveView } from "../view.js";
import { badge } from "../words.js";

/** Each holds a connection, of which browsers have six to one place. */
const MOST = 3;

export function consolesPage(context, { simulation, machine }) {
    context.setTitle(`Consoles of ${simulation}`);
    const shown = new Map();
    const show = (name) => {
        if (shown.has(name)) return;
        const closing = new AbortController();
        const terminal = new Terminal(simulation, name, AbortSignal.any([closing.signal, context.signal]));
        shown.set(name, { terminal, closing });
        if (shown.size > MOST) hide(shown.keys().next().value);
    };
    const hide = (name) => {
        shown.get(name).closing.abort();
        shown.delete(name);
    };
    let isFirst = true;
    const refresh = liveView(context, {
        load: () => get(path(["simulations", simulation]), { signal: context.signal }),
        draw: (detail) => {
            const names = detail.machines.filter((one) => one.serialSockets.length > 0).map((one) => one.name);
            if (isFirst && names.length > 0) {
                isFirst = false;
                for (const name of machine ? [machine] : names.slice(0, 2)) show(name);
            }
            const toggle = (name) => {
                if (shown.has(name)) hide(name);
                else show(name);
                refresh();
            };
            return draw(detail, shown, toggle);
        },
        concerns: (change) => change.simulation === undefined || change.simulation === simulation,
    });
}

function draw(simulation, shown, toggle) {
    const name = simulation.simulation;
    const head = h(
        "div",
        { class: "page-head" },
        h(
            "div",
            {},
            h("ol", { class: "crumbs" }, h("li", {}, h("a", { href: link() }, "Simulations")), h("li", {}, h("a", { href: link("simulations", name) }, name))),
            h("h1", {}, "Serial consoles", badge(simulation.state)),
            h("p", { class: "lead" }, `Click into one and type; Tab leaves it. At most ${MOST} at a time.`),
        ),
        h("div", { class: "page-actions", role: "group", "aria-label": "Machines" }, simulation.machines.map((machine) => h(
            "button",
            {
                type: "button", key: machine.name, class: "toggle", "aria-pressed": String(shown.has(machine.name)), disabled: machine.serialSockets.length === 0 && !shown.has(machine.name),
                title: machine.serialSockets.length === 0 ? "It has no serial line that fermata knows" : null, on: { click: () => toggle(machine.name) },
            },
            machine.name,
        ))),
    );
    if (shown.size > 0) {
        return [head, h("div", { class: "terminals" }, [...shown].map(([machine, { terminal }]) => island(`console-${machine}`, terminal)))];
    }
    return [head, simulation.machines.length === 0
        ? emptyState(`${name} is ${simulation.state}`, h("p", {}, "Its machines have consoles while they run."))
        : emptyState("No console is open", h("p", {}, "Choose a machine above. One without a serial line gets one by ", h("kbd", {}, "serial: [log]"), " in its manifest."))];
}
