"""What is asked of hypervisors before an operation begins. The control instance is played here."""

PLAY = """
    const { loadPlan } = module;
    const asked = [];
    const real = window.fetch;
    const json = (status, value) => new Response(JSON.stringify(value), { status });
    window.fetch = async (path, options) => {
        asked.push(`${options.method} ${path}`);
        if (path.includes("dryRun=true")) return json(given[0], given[1]);
        return json(200, { hosts: [{ name: "vm", state: "ready", labels: {}, machines: 2, problems: [] }] });
    };
    const simulation = { simulation: "bench", machines: [{ name: "controller", host: "vm", state: "running" }] };
    return loadPlan({ path: "/v1/simulations/bench/suspend", plans: given[2] ?? true }, {}, simulation, new AbortController().signal)
        .then((plan) => ({ ready: plan.ready, text: plan.element.textContent, asked }))
        .finally(() => { window.fetch = real; });
"""


def plan(ready, reasons):
    host = {"host": "vm", "ready": ready, "machines": ["controller"], "reasons": reasons}
    if ready:
        host["requiredNs"] = 40_000_000
    return {"simulation": "bench", "kind": "suspend", "ready": ready, "deadlineNs": 1795785917925014359, "hosts": [host], "reasons": reasons, "notes": []}


def test_what_cannot_be_tried_out_is_not(browser):
    told = browser.module("plan-view.js", PLAY, 200, plan(True, []), False)
    assert told["ready"] and "vm answers" in told["text"]
    assert not any("dryRun" in request for request in told["asked"])


def test_a_plan_that_is_refused_as_a_whole_says_why(browser):
    told = browser.module("plan-view.js", PLAY, 409, {"code": "busy", "detail": "bench is busy", "reasons": []})
    assert not told["ready"] and "Bench is busy" in told["text"]


def test_each_hypervisor_is_shown_ready_with_how_long_it_needs(browser):
    told = browser.module("plan-view.js", PLAY, 200, plan(True, []))
    assert told["asked"] == ["POST /v1/simulations/bench/suspend?dryRun=true"]
    assert told["ready"]
    assert "vm is ready" in told["text"] and "controller · can in 40.0 ms" in told["text"]


def test_a_hypervisor_that_is_not_ready_says_why_once(browser):
    told = browser.module("plan-view.js", PLAY, 200, plan(False, [{"code": "machine-dead", "machine": "controller", "message": "its QEMU has ended"}]))
    assert not told["ready"]
    assert "vm is not ready" in told["text"] and "It would be refused" in told["text"]
    assert told["text"].count("machine-dead") == 1
