// Before the instant: what will be done, and whether every hypervisor is ready for it, with its reasons.

import { get, post } from "./api.js";
import { h } from "./dom.js";
import { icon } from "./icons.js";
import { notice, noteList, problemNotice, reasonList } from "./notices.js";
import { formatDuration, formatInstant } from "./time.js";
import { badge } from "./words.js";

/**
 * Asks for each hypervisor's readiness. Nothing is begun by that.
 * @returns `{ready, element}`
 */
export async function loadPlan(route, body, simulation, signal) {
    if (!route.plans) return hostsNow(simulation, signal);
    try {
        const plan = await post(`${route.path}?dryRun=true`, body, { signal });
        return { ready: plan.ready, element: planOf(plan) };
    } catch (problem) {
        if (problem.isUnreachable || problem.needsSession) throw problem;
        return { ready: false, element: problemNotice(problem) };
    }
}

function planOf(plan) {
    const { hosts = [], reasons = [], notes = [] } = plan;
    const told = new Set(hosts.flatMap((host) => host.reasons.map((reason) => reason.message)));
    const others = reasons.filter((reason) => !told.has(reason.message));
    return h(
        "div",
        { class: "plan" },
        h("h3", {}, "Readiness"),
        !plan.ready && notice("problem", "It would be refused: nothing would happen", others.length > 0 && reasonList(others)),
        h("ul", { class: "hosts-plan" }, hosts.map(hostPlan)),
        plan.deadlineNs !== undefined && h("p", { class: "quiet" }, `Asked now, it would happen at ${formatInstant(plan.deadlineNs, 3)} UTC.`),
        noteList(notes),
    );
}

function hostPlan(host) {
    const facts = [host.machines.join(", "), host.requiredNs !== undefined && `can in ${formatDuration(host.requiredNs)}`].filter(Boolean);
    return h(
        "li",
        { "data-ready": String(host.ready) },
        h("span", { class: `sign ${host.ready ? "run" : "bad"}` }, icon(host.ready ? "check" : "cross")),
        h("div", {}, h("strong", {}, host.host), h("span", { class: "quiet" }, host.ready ? " is ready" : " is not ready"), h("p", { class: "quiet" }, facts.join(" · ")), host.reasons.length > 0 && reasonList(host.reasons)),
    );
}

/** Of what cannot be tried out: whether the hosts answer, their clocks, their machines. */
async function hostsNow(simulation, signal) {
    const { hosts } = await get("/v1/hosts", { signal });
    const names = new Set(simulation.machines.map((machine) => machine.host).filter(Boolean));
    const concerned = names.size > 0 ? hosts.filter((host) => names.has(host.name)) : hosts.slice(0, 1);
    const unwell = simulation.machines.filter((machine) => ["dead", "unreachable"].includes(machine.state));
    const unreachable = concerned.filter((host) => host.state === "unreachable");
    return {
        ready: unreachable.length === 0,
        element: h(
            "div",
            { class: "plan" },
            h("h3", {}, "Readiness"),
            h("ul", { class: "hosts-plan" }, concerned.map((host) => {
                const isReady = host.state !== "unreachable";
                const bound = host.description?.clockErrorBoundNs;
                return h(
                    "li",
                    { "data-ready": String(isReady) },
                    h("span", { class: `sign ${isReady ? "run" : "bad"}` }, icon(isReady ? "check" : "cross")),
                    h(
                        "div",
                        {},
                        h("strong", {}, host.name),
                        " ",
                        h("span", { class: "quiet" }, isReady ? "answers" : "does not answer"),
                        h("p", { class: "quiet" }, bound === undefined ? "clock error not known: nothing disciplines its clock" : `clock error ± ${formatDuration(bound)}`),
                        host.problems.length > 0 && reasonList(host.problems),
                    ),
                );
            })),
            unwell.length > 0 && notice("problem", "Machines that cannot take part", h("ul", { class: "reasons" }, unwell.map((machine) => h("li", {}, machine.name, " ", badge(machine.state))))),
            h("p", { class: "quiet" }, "Each hypervisor is asked again when it begins, and refuses with its reasons if it cannot: then nothing has happened."),
        ),
    };
}
