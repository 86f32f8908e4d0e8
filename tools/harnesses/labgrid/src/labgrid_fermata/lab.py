from __future__ import annotations

import weakref
from typing import Any, Optional

from pytest_fermata import Fermata, Simulation


class Lab:
    """The simulation that targets share: it is switched on with the first of them, and ends when none is active any more."""

    _labs: weakref.WeakKeyDictionary[Any, dict[str, Lab]] = weakref.WeakKeyDictionary()

    def __init__(self, source: str, clock: Optional[str]) -> None:
        self.source = source
        self._clock = clock
        self._fermata = Fermata.using()
        self._users: set[int] = set()
        self.simulation: Optional[Simulation] = None

    @classmethod
    def of(cls, owner: Any, source: str, clock: Optional[str]) -> Lab:
        """The one of an environment, or of a target that has none."""
        labs = cls._labs.setdefault(owner, {})
        return labs.setdefault(source, cls(source, clock))

    def enter(self, user: object) -> None:
        self._users.add(id(user))

    def leave(self, user: object) -> None:
        self._users.discard(id(user))
        if not self._users:
            self.end()

    def on(self) -> Simulation:
        """All machines run: as they were, if they are suspended, else from the beginning."""
        state = self.simulation.state if self.simulation else None
        if self.simulation and state == "running":
            return self.simulation
        if self.simulation and state == "suspended":
            self.simulation.resume()
            return self.simulation
        self.end()
        options = {} if self._clock is None else {"clock": self._clock}
        self.simulation = self._fermata.start(self.source, **options)
        return self.simulation

    def off(self) -> None:
        """Its checkpoints stay, until it is switched on again or nobody uses it."""
        if self.simulation and self.simulation.state != "down":
            self.simulation.down()

    def end(self) -> None:
        if self.simulation:
            self.simulation.end()
            self.simulation = None
