from __future__ import annotations

import os
import re
import secrets
from typing import Any, Callable, Mapping, Optional, Union

from ._control import VERSION, Control
from ._errors import FermataError
from ._simulation import Checkpoint, Simulation, _clock


class Fermata:
    """Starts simulations that end with this process at the latest: from a manifest, or as copies of a checkpoint."""

    def __init__(self, control: Control, warn: Callable[[str], None] = lambda _: None) -> None:
        self._control = control
        self._warn = warn
        self._simulations: list[Simulation] = []
        self._compared = False

    @classmethod
    def using(cls, program: Optional[str] = None, warn: Callable[[str], None] = lambda _: None) -> Fermata:
        """For harnesses that are not pytest: by that program, the one that `FERMATA_BINARY` names, or `fermata` in PATH."""
        return cls(Control(program or os.environ.get("FERMATA_BINARY") or "fermata"), warn)

    def up(self, manifest: Union[str, "os.PathLike[str]"], *, name: Optional[str] = None) -> Simulation:
        """Starts the machines of a manifest."""
        path = os.path.abspath(manifest)
        label = name or os.path.splitext(os.path.basename(path))[0]
        return self._start(label, path, lambda copy: self._control.run("up", path, "--as", copy))

    def clone(
        self,
        checkpoint: Union[str, Checkpoint],
        *,
        name: Optional[str] = None,
        clock: Optional[str] = None,
        scope: Optional[str] = None,
    ) -> Simulation:
        """A copy from a checkpoint, which stays as it is. It shares the checkpoint's RAM until it writes to it."""
        source = str(checkpoint)
        Checkpoint.parse(source)
        words = ["clone", source, *_clock(clock, scope)]
        return self._start(name or source.partition("@")[0], source, lambda copy: self._control.run(*words, "--as", copy))

    def start(self, source: Union[str, Checkpoint, "os.PathLike[str]"], **options: Any) -> Simulation:
        """From a checkpoint `SIM@NAME`, or from a manifest, which has another name than that."""
        if isinstance(source, Checkpoint) or re.fullmatch(r"[a-z0-9_-]+@[a-z0-9_-]+", str(source)):
            return self.clone(str(source), **options)
        if options.pop("clock", None) is not None:
            raise FermataError(f"{source} is no checkpoint: a manifest says itself what its clocks begin with", code="usage")
        return self.up(str(source), **options)

    def end(self) -> None:
        """Ends all that have not been ended, the newest first: it may stand on an older one."""
        while self._simulations:
            self._simulations.pop().end()

    def _start(self, label: str, source: str, start: Callable[[str], Mapping[str, Any]]) -> Simulation:
        self._compare_versions()
        copy = _name(label)
        # Held before it is there: whenever this process is killed, it is gone.
        lease = self._control.lease(copy)
        try:
            report = start(copy)
        except BaseException:
            lease.end()
            raise
        simulation = Simulation(self._control, lease, source, report)
        self._simulations.append(simulation)
        return simulation

    def _compare_versions(self) -> None:
        if self._compared:
            return
        daemon = self._control.version()
        self._compared = True
        if daemon != VERSION:
            self._warn(
                f"the daemon is fermata {daemon}, this plugin is {VERSION}: what they expect of each other may differ. End it "
                "with 'fermata serve --stop' after an upgrade; machines go on running meanwhile"
            )


def _name(label: str) -> str:
    """Short: paths of sockets are made of it, and have room for 107 bytes."""
    plain = re.sub(r"[^a-z0-9]+", "-", label.lower()).strip("-")[:20].strip("-")
    return f"{plain or 'test'}-{secrets.token_hex(4)}"
