#!/usr/bin/env python3
"""Network namespaces that stand for hosts, on one switch: what they are made of, how a cable is pulled, and how all of it goes away.

Nothing of it is in this machine's own network: the switch is a bridge in a namespace of its own. Names say which process made them,
also those of folders, so that a later run, or `spaces.py --sweep`, can tell what was left behind and remove it together with the processes
in it.
"""

import os
import pathlib
import re
import shutil
import signal
import subprocess
import sys
import time

TOOLS = pathlib.Path(__file__).resolve().parents[1]
sys.path.append(str(TOOLS))

from demo import start_time  # noqa: E402

PREFIX = "fermata"
NAME = re.compile(PREFIX + r"-(\d+)-(\d+)-\w+")
FOLDERS = ("/tmp", "/dev/shm")
NETWORK = "10.177.0"


def sh(*arguments: object, check: bool = True) -> subprocess.CompletedProcess[str]:
    return subprocess.run([str(word) for word in arguments], check=check, capture_output=True, text=True)


def why_not() -> str | None:
    """Why there can be no namespaces here; None: there can."""
    if os.geteuid() != 0:
        return "hosts are network namespaces here, which only root can make: run it as root"
    for tool in ("ip", "tc"):
        if shutil.which(tool) is None:
            return f"needs {tool}: apt-get install iproute2"
    return None


def all_names() -> list[str]:
    listed = sh("ip", "netns", "list", check=False).stdout.splitlines()
    return [line.split()[0] for line in listed if line.strip()]


def remove(name: str) -> None:
    """Ends what runs in a namespace, then the namespace: its devices go with it."""
    for _ in range(50):
        processes = sh("ip", "netns", "pids", name, check=False).stdout.split()
        if not processes:
            break
        for process in processes:
            try:
                os.kill(int(process), signal.SIGKILL)
            except ProcessLookupError:
                pass
        time.sleep(0.05)
    sh("ip", "netns", "delete", name, check=False)


def owner() -> str:
    """What the names of all begin with that this process makes. A process id may come again, but not with the same start."""
    return f"{PREFIX}-{os.getpid()}-{start_time(os.getpid())}"


def is_orphan(name: str) -> bool:
    made = NAME.fullmatch(name)
    return made is not None and start_time(int(made[1])) != made[2]


def sweep() -> list[str]:
    """Removes namespaces and folders of processes that are no more."""
    left = [name for name in all_names() if is_orphan(name)]
    for name in left:
        remove(name)
    for folder in FOLDERS:
        for path in pathlib.Path(folder).iterdir():
            if is_orphan(path.name):
                shutil.rmtree(path, ignore_errors=True)
                left.append(str(path))
    return left


class Switch:
    """A bridge, and one namespace for each host that is plugged into it."""

    def __init__(self) -> None:
        self.spaces: list[str] = []
        self.space = self.add("switch")
        sh("ip", "-n", self.space, "link", "add", "switch", "type", "bridge")
        sh("ip", "-n", self.space, "link", "set", "switch", "up")

    def add(self, host: str) -> str:
        name = f"{owner()}-{host}"
        sh("ip", "netns", "add", name)
        self.spaces.append(name)
        sh("ip", "-n", name, "link", "set", "lo", "up")
        return name

    def plug(self, host: str) -> tuple[str, str]:
        """A namespace with a cable to the switch; its name and its address."""
        space = self.add(host)
        address = f"{NETWORK}.{len(self.spaces)}"
        sh("ip", "-n", self.space, "link", "add", host, "type", "veth", "peer", "name", "eth0", "netns", space)
        sh("ip", "-n", self.space, "link", "set", host, "master", "switch", "up")
        sh("ip", "-n", space, "address", "add", f"{address}/24", "dev", "eth0")
        sh("ip", "-n", space, "link", "set", "eth0", "up")
        return space, address

    def cut(self, host: str) -> None:
        sh("ip", "-n", self.space, "link", "set", host, "down")

    def heal(self, host: str) -> None:
        sh("ip", "-n", self.space, "link", "set", host, "up")

    def impair(self, host: str, *how: str) -> bool:
        """What the switch sends to a host is late, or lost: arguments of `netem`. False where the kernel has none."""
        return sh("tc", "-n", self.space, "qdisc", "replace", "dev", host, "root", "netem", *how, check=False).returncode == 0

    def repair(self, host: str) -> None:
        sh("tc", "-n", self.space, "qdisc", "delete", "dev", host, "root", check=False)

    def has_netem(self) -> bool:
        """Whether this kernel can delay and lose packets by itself."""
        answer = sh("tc", "-n", self.space, "qdisc", "add", "dev", "lo", "root", "netem", "delay", "1ms", check=False)
        sh("tc", "-n", self.space, "qdisc", "delete", "dev", "lo", "root", check=False)
        return answer.returncode == 0

    def remove(self) -> None:
        for name in reversed(self.spaces):
            remove(name)
        self.spaces = []


if __name__ == "__main__":
    if sys.argv[1:] != ["--sweep"]:
        raise SystemExit("usage: spaces.py --sweep")
    for name in sweep():
        print(f"removed {name}, which nobody had ended")
