"""What the requests are about: a simulation with a past, and its restoration after whatever they did to it."""

import copy
import pathlib
import random
import re
import sys
import time

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "load"))

from served import SECOND, ServedLab  # noqa: E402

SIMULATION = "bench"
CHECKPOINT = "base"
NAME = re.compile(r"[a-z0-9][a-z0-9_-]{0,62}\Z")
UNDER_WAY = ("preparing", "prepared", "armed", "happened", "deciding")
# An operation with an instant beyond that is called off.
SOON = 2 * SECOND

# What a spec's fields are made, one at a time.
HOSTILE = [
    None, "", "x", "../../x", "/", "a\u0000b", "\u001b[2J", "x" * 70_000, -1, 0, 2**31, 2**63 - 1, 2**64, 1e300, True, [], {}, [[]], {"": {}},
    ["x"] * 300,
]  # fmt: skip


class MirrorLab(ServedLab):
    def prepare(self):
        self.begin(SIMULATION, machines=1)
        self.run("checkpoint", f"{SIMULATION}@{CHECKPOINT}", "--label", "stage=first", "--note", "as it was")
        self.run("suspend", f"{SIMULATION}@second")
        self.run("resume", SIMULATION)
        self.spec = self.get(f"/v1/simulations/{SIMULATION}")[1]["spec"]
        self.operation = self.get("/v1/operations")[1]["operations"][0]["operation"]
        self.own_host = self.get("/v1/hosts")[1]["hosts"][0]["name"]
        self.known = {
            "simulation": SIMULATION, "checkpoint": CHECKPOINT, "machine": "m0", "operation": self.operation, "host": self.own_host,
            "token": "view", "before": self.operation,
        }  # fmt: skip
        self.monitors = ["unix:/nowhere", f"unix:{self.home}/control.sock", "unix:/etc/passwd", "tcp:127.0.0.1:1", "tcp:", "unix:", "unix:relative"]

    def fill(self, case, dice):
        """Puts what exists where the document asks for a name: or else every answer is that there is no such thing.

        Returns whether what was wrong with the request may be so no more.
        """
        changes = case.method not in ("GET", "HEAD")
        # What changes something takes a second to be put right again.
        is_known = dice.random() < (0.3 if changes else 0.75)
        # One's own token and host have to stay.
        spared = {"token", "host"} if case.method == "DELETE" else set()
        for container in (case.path_parameters, case.query):
            for name, value in (container or {}).items():
                if is_known and name in self.known and name not in spared and isinstance(value, str) and NAME.match(value):
                    container[name] = self.known[name]
        body = case.body
        if not isinstance(body, dict):
            return False
        if is_known and isinstance(body.get("checkpoint"), str) and NAME.match(body["checkpoint"]) and case.path.endswith(("/resume", "/rewind")):
            body["checkpoint"] = CHECKPOINT
        # A hundred machines are a load, and no other answer than three.
        if type(body.get("count")) is int and 3 < body["count"] <= 100:
            body["count"] = 3
        is_mended = drop_nulls(body, case.operation)
        # So small a number is 0 to JSONDecoder, and so a whole one; other fractions it refuses.
        for name, value in body.items():
            if isinstance(value, float) and 0 < abs(value) < 1e-20:
                body[name] = 0.5
        # Nobody outside this host is to be called.
        if isinstance(body.get("address"), str) and ":" in body["address"]:
            body["address"] = "127.0.0.1:1"
        if isinstance(body.get("monitor"), str):
            body["monitor"] = dice.choice(self.monitors + [body["monitor"].replace("tcp:", "")])
        if isinstance(body.get("spec"), dict) and dice.random() < 0.8:
            body["spec"] = self.hostile_spec(dice)
            case.path_parameters["simulation"] = "fuzz"
        return is_mended

    def hostile_spec(self, dice):
        """The spec of a simulation that could begin, but for one of its fields."""
        spec = copy.deepcopy(self.spec)
        spec["name"] = "fuzz"
        container, key = dice.choice(list(leaves(spec)))
        # A name of its own, or the path's is another.
        if key != "name" or container is not spec:
            container[key] = dice.choice(HOSTILE)
        return spec

    def restore(self):
        """As it was when it was prepared, but for the past."""
        self.settle()
        for host in self.get("/v1/hosts")[1]["hosts"]:
            if host["state"] == "drained":
                self.owner("POST", f"/v1/hosts/{host['name']}/drain", {"drained": False})
        for one in self.get("/v1/simulations")[1]["simulations"]:
            name = one["simulation"]
            if name == SIMULATION:
                continue
            self.owner("POST", f"/v1/simulations/{name}/down")
            for saved in reversed(self.get(f"/v1/simulations/{name}/checkpoints")[1].get("checkpoints", [])):
                self.owner("DELETE", f"/v1/simulations/{name}/checkpoints/{saved['checkpoint']}?recursive=true")
            self.owner("DELETE", f"/v1/simulations/{name}")
        self.run_again()
        self.tidy()

    def settle(self):
        """Nothing is under way any more."""
        deadline = time.monotonic() + 120
        while True:
            operations = self.get("/v1/operations?limit=20")[1]["operations"]
            busy = [one for one in operations if one["phase"] in UNDER_WAY]
            if not busy:
                return
            assert time.monotonic() < deadline, f"operations that do not end: {busy}"
            for one in busy:
                if one.get("deadlineNs", 0) > time.time_ns() + SOON:
                    self.owner("POST", f"/v1/operations/{one['operation']}/cancel")
            time.sleep(0.05)

    def run_again(self):
        status, answer = self.get(f"/v1/simulations/{SIMULATION}")
        state = answer.get("state") if status == 200 else None
        if state == "running" and answer["machines"]:
            return
        saved = [one["checkpoint"] for one in self.get(f"/v1/simulations/{SIMULATION}/checkpoints")[1].get("checkpoints", [])]
        if CHECKPOINT in saved and status == 200:
            self.run("resume", f"{SIMULATION}@{CHECKPOINT}")
        elif state == "suspended":
            self.run("resume", SIMULATION)
        else:
            self.run("up", self.folder / f"{SIMULATION}.yaml")

    def tidy(self):
        checkpoints = self.get(f"/v1/simulations/{SIMULATION}/checkpoints")[1]["checkpoints"]
        if CHECKPOINT not in [one["checkpoint"] for one in checkpoints]:
            self.run("checkpoint", f"{SIMULATION}@{CHECKPOINT}")
        for one in checkpoints:
            # The disk is no archive of what was tried.
            if one["checkpoint"] not in (CHECKPOINT, "second") and not one["current"]:
                self.owner("DELETE", f"/v1/simulations/{SIMULATION}/checkpoints/{one['checkpoint']}")
        for token in self.get("/v1/tokens")[1]["tokens"]:
            if token["name"] not in self.tokens:
                self.owner("DELETE", f"/v1/tokens/{token['name']}")


def drop_nulls(body, operation):
    """A field that may be absent may be null, which no schema of the document says of each (but its description of all)."""
    schemas = operation.schema.raw_schema["components"]["schemas"]
    named = operation.definition.raw["requestBody"]["content"]["application/json"]["schema"]["$ref"].rsplit("/", 1)[1]
    optional = set(schemas[named]["properties"]) - set(schemas[named].get("required", []))
    dropped = 0
    for fields, names in (body, optional), (body.get("when"), ("atNs", "inNs")):
        for name in names if isinstance(fields, dict) else ():
            if name in fields and fields[name] is None:
                del fields[name]
                dropped += 1
    return dropped > 0


def leaves(value):
    """Every place in it, as container and key."""
    items = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for key, inner in items:
        yield value, key
        yield from leaves(inner)


def dice_of(case):
    """The same for the same request, whenever it is made."""
    return random.Random(repr((case.method, case.path, case.path_parameters, case.query, case.body)))
