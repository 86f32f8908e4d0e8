// Buttons, keys, wheel and drag for something that can be zoomed along one axis.

import { h } from "./dom.js";
import { icon } from "./icons.js";

const STEP = 1.5;

/**
 * @param zoom called with a factor and where, from 0 to 1
 * @param pan called with how far, in widths of what is seen
 * @param fit called to show everything again
 */
export function zoomButtons(what, { zoom, fit }) {
    const button = (sign, label, action) => h("button", { type: "button", class: "icon-button", title: label, "aria-label": `${label}: ${what}`, on: { click: action } }, icon(sign));
    return h(
        "div",
        { class: "zoom", role: "group", "aria-label": `Zoom: ${what}` },
        button("plus", "Zoom in", () => zoom(STEP, 0.5)),
        button("minus", "Zoom out", () => zoom(1 / STEP, 0.5)),
        button("fit", "Show all", fit),
    );
}

/** Keys and pointers of the plot itself. */
export function makeZoomable(element, { zoom, pan, fit }) {
    element.addEventListener("keydown", (event) => {
        const actions = {
            "+": () => zoom(STEP, 0.5), "=": () => zoom(STEP, 0.5), "-": () => zoom(1 / STEP, 0.5), 0: fit,
            ArrowLeft: () => pan(-0.15), ArrowRight: () => pan(0.15),
        };
        if (event.ctrlKey || event.metaKey || event.altKey || !(event.key in actions)) return;
        event.preventDefault();
        actions[event.key]();
    });
    element.addEventListener("wheel", (event) => {
        // A plain wheel scrolls the page; with control, or two fingers, it zooms.
        if (!event.ctrlKey && !event.metaKey) return;
        event.preventDefault();
        zoom(Math.exp(-event.deltaY / 200), fraction(event));
    }, { passive: false });
    element.addEventListener("dblclick", fit);
    let last = null;
    element.addEventListener("pointerdown", (event) => {
        if (event.button !== 0) return;
        last = event.clientX;
        element.setPointerCapture(event.pointerId);
    });
    element.addEventListener("pointermove", (event) => {
        if (last === null) return;
        pan((last - event.clientX) / element.getBoundingClientRect().width);
        last = event.clientX;
    });
    for (const type of ["pointerup", "pointercancel"]) element.addEventListener(type, () => { last = null; });

    function fraction(event) {
        const box = element.getBoundingClientRect();
        return (event.clientX - box.left) / box.width;
    }
}
