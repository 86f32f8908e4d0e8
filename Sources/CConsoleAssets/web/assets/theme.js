// Light, dark, or as the system has it.

import { h, render } from "./dom.js";
import { icon } from "./icons.js";

const KEY = "fermata-theme";
const order = ["system", "light", "dark"];
const words = { system: "as the system", light: "light", dark: "dark" };
const icons = { system: "contrast", light: "sun", dark: "moon" };

export function applyTheme(theme = stored()) {
    if (theme === "system") document.documentElement.removeAttribute("data-theme");
    else document.documentElement.setAttribute("data-theme", theme);
}

export function themeSwitch() {
    const button = h("button", { type: "button", class: "icon-button", id: "theme", on: { click: next } });
    draw();
    return button;

    function next() {
        const theme = order[(order.indexOf(stored()) + 1) % order.length];
        localStorage.setItem(KEY, theme);
        applyTheme(theme);
        draw();
    }

    function draw() {
        const theme = stored();
        const label = `Colours: ${words[theme]}`;
        button.setAttribute("aria-label", label);
        button.title = label;
        render(button, icon(icons[theme]));
    }
}

function stored() {
    const theme = localStorage.getItem(KEY);
    return order.includes(theme) ? theme : "system";
}
