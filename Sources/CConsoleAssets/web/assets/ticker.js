// Elements that show what goes on by itself: clocks, ages, countdowns. Their live value is a function of the host's time.

import { h, liveValue } from "./dom.js";
import { hostNow } from "./host-clock.js";

const calm = matchMedia("(prefers-reduced-motion: reduce)");

/** A `<time>` whose text is `text(now)`, ever again. */
export function ticking(text, properties = {}) {
    return h("time", { ...properties, "data-live": "", live: text }, text(hostNow()));
}

export function startTicker() {
    const tick = () => {
        if (!document.hidden) {
            const now = hostNow();
            for (const element of document.querySelectorAll("[data-live]")) {
                const text = liveValue(element)?.(now);
                if (text !== undefined && text !== element.textContent) element.textContent = text;
            }
        }
        setTimeout(tick, calm.matches ? 1000 : 100);
    };
    tick();
}

/** How many digits of a second are worth showing while they change. */
export function liveDigits() {
    return calm.matches ? 0 : 1;
}
