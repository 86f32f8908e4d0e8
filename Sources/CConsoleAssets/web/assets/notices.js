// What went wrong or should be known, in words.

import { h } from "./dom.js";
import { icon } from "./icons.js";

const titles = {
    "no-session": "You are signed out",
    "daemon-unreachable": "The control instance does not answer",
    "simulation-not-found": "There is no such simulation",
    "checkpoint-not-found": "There is no such checkpoint",
    "operation-not-found": "There is no such operation",
};

export function notice(level, title, ...content) {
    const icons = { problem: "warning", notice: "info", ok: "check" };
    return h(
        "div",
        { class: `notice ${level}`, role: level === "problem" ? "alert" : "status" },
        icon(icons[level]),
        h("div", {}, h("p", { class: "notice-title" }, title), content),
    );
}

export function problemNotice(problem) {
    if (problem.needsSession) return notice("notice", titles["no-session"], howToEnter());
    const reasons = problem.reasons?.length > 0 ? problem.reasons : [];
    // The first reason often is the sentence itself.
    const others = reasons.filter((reason) => reason.message !== problem.message);
    return notice(
        "problem",
        titles[problem.code] ?? "That did not work",
        h("p", {}, sentence(problem.message)),
        others.length > 0 && reasonList(others),
        problem.code && h("p", { class: "code" }, h("code", {}, problem.code)),
    );
}

export function howToEnter() {
    return h("p", {}, "Type ", h("kbd", {}, "fermata console"), " in a terminal of the control instance’s host and open the link that it prints. This page then goes on by itself.");
}

/** Reasons with the machine that each is of, and the code to look up. */
export function reasonList(reasons) {
    return h(
        "ul",
        { class: "reasons" },
        reasons.map((reason) => h(
            "li",
            {},
            reason.machine && h("strong", {}, `${reason.machine}: `),
            sentence(reason.message),
            " ",
            h("code", { class: "code" }, reason.code),
        )),
    );
}

export function noteList(notes) {
    return notes.length > 0 && h("ul", { class: "notes" }, notes.map((note) => h("li", {}, sentence(note))));
}

export function emptyState(title, ...content) {
    return h("div", { class: "empty" }, fermataSign(), h("h2", {}, title), content);
}

export function command(text) {
    return h("pre", { class: "command" }, h("code", {}, text));
}

function fermataSign() {
    return h("img", { src: "/assets/fermata.svg", alt: "", class: "empty-sign" });
}

export function sentence(text) {
    if (!text) return "";
    const capital = text[0].toUpperCase() + text.slice(1);
    // A name at the beginning (`sensor: it…`, `bench@s1 is…`) is written as it is.
    const begin = /^[a-z]+[ ,]/.test(text) ? capital : text;
    return /[.!?…]$/.test(begin) ? begin : `${begin}.`;
}
