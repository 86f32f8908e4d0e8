// The frame around the pages: head, navigation, connection, and which page is shown.

import { onOutcome } from "./api.js";
import { h, render, svg } from "./dom.js";
import { Feed } from "./feed.js";
import { hostNow } from "./host-clock.js";
import { emptyState, howToEnter, notice } from "./notices.js";
import { checkpointPage } from "./pages/checkpoint.js";
import { consolesPage } from "./pages/consoles.js";
import { historyPage } from "./pages/history.js";
import { hostsPage } from "./pages/hosts.js";
import { operationPage } from "./pages/operation.js";
import { simulationPage } from "./pages/simulation.js";
import { simulationsPage } from "./pages/simulations.js";
import { currentParts, link, match } from "./router.js";
import { loadSession } from "./session.js";
import { applyTheme, themeSwitch } from "./theme.js";
import { startTicker, ticking } from "./ticker.js";
import { formatTimeOfDay } from "./time.js";

const routes = [
    ["/", simulationsPage],
    ["/simulations", simulationsPage],
    ["/simulations/:simulation", simulationPage],
    ["/simulations/:simulation/consoles", consolesPage],
    ["/simulations/:simulation/consoles/:machine", consolesPage],
    ["/simulations/:simulation/checkpoints/:checkpoint", checkpointPage],
    ["/hosts", hostsPage],
    ["/history", historyPage],
    ["/operations/:operation", operationPage],
];

const navigation = [
    ["Simulations", link(), ["simulations", undefined]],
    ["History", link("history"), ["history", "operations"]],
    ["Hosts", link("hosts"), ["hosts"]],
];

const connections = {
    connecting: "connecting",
    live: "live",
    lost: "connection lost, trying again",
    "signed-out": "signed out",
};

const main = document.getElementById("main");
const feed = new Feed();
let leaving = new AbortController();
let shownAt = null;

function show() {
    if (location.hash === "#main") return;
    leaving.abort();
    leaving = new AbortController();
    const parts = currentParts();
    const found = match(routes, parts);
    // Each page has an outlet of its own, so that what an old one still loads ends nowhere.
    const outlet = h("div", { class: "page" });
    render(main);
    main.append(outlet);
    const context = { outlet, feed, signal: leaving.signal, setTitle };
    if (found) found.page(context, found.parameters);
    else render(outlet, emptyState("There is no such page", h("p", {}, h("a", { href: link() }, "All simulations"))));
    drawNavigation(parts);
    // A page that was gone to is read from its beginning; the first one leaves the focus where the browser has it.
    if (shownAt !== null) main.focus({ preventScroll: true });
    if (shownAt !== location.hash) scrollTo(0, 0);
    shownAt = location.hash;
}

function setTitle(title) {
    document.title = `${title} · fermata`;
}

function drawNavigation([first]) {
    render(
        document.getElementById("navigation"),
        navigation.map(([label, href, firsts]) => h("a", { href, "aria-current": firsts.includes(first) ? "page" : null }, label)),
    );
}

function drawHeader() {
    const sign = svg(
        "svg",
        { class: "logo", viewBox: "0 0 32 32", "aria-hidden": "true" },
        svg("path", { d: "M2.5 23.5C2.5 14 8.5 7.5 16 7.5S29.5 14 29.5 23.5h-1.3C27.4 16.2 22.5 11.7 16 11.7S4.6 16.2 3.8 23.5Z" }),
        svg("circle", { cx: 16, cy: 21, r: 2.7 }),
    );
    render(
        document.getElementById("header"),
        h("a", { class: "brand", href: link(), "aria-label": "fermata: all simulations" }, sign, h("span", {}, "fermata")),
        h("nav", { id: "navigation", "aria-label": "Pages" }),
        h(
            "div",
            { class: "header-end" },
            h("span", { id: "connection", class: "connection", role: "status" }),
            h("span", { class: "host-clock", title: "What the host’s clock reads, in UTC" }, ticking((now) => formatTimeOfDay(now, 0)), " UTC"),
            h("span", { id: "theme-place" }),
        ),
    );
    document.getElementById("theme-place").replaceWith(themeSwitch());
}

function drawConnection(state) {
    const element = document.getElementById("connection");
    element.dataset.state = state;
    render(element, h("span", { class: "dot", "aria-hidden": "true" }), h("span", {}, connections[state]));
    const banner = document.getElementById("banner");
    document.body.classList.toggle("stale", state === "lost" || state === "signed-out");
    if (state === "signed-out") render(banner, notice("notice", "You are signed out", howToEnter()));
    else if (state === "lost") {
        render(banner, notice(
            "problem",
            "The connection to the control instance is lost",
            h("p", {}, "What you see may be old. Machines go on by themselves. The page tries again ever and anon; if the daemon has ended, ", h("kbd", {}, "fermata serve"), " starts it."),
        ));
    } else render(banner);
}

applyTheme();
drawHeader();
document.querySelector(".skip").addEventListener("click", (event) => {
    event.preventDefault();
    main.focus();
});
// An action that is refused for want of a session tells the whole page.
onOutcome((problem) => {
    if (problem?.needsSession) feed.signedOut();
});
feed.onState((state) => {
    drawConnection(state);
    if (state === "live") loadSession();
});
startTicker();
await loadSession();
addEventListener("hashchange", show);
show();
feed.start();
// For whoever looks with the browser's own tools.
Object.assign(globalThis, { fermata: { feed, hostNow } });
