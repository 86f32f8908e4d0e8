from __future__ import annotations

import logging
from typing import Any, Mapping, Optional, Union

import attr
from labgrid.driver import Driver
from labgrid.driver.consoleexpectmixin import ConsoleExpectMixin
from labgrid.driver.exception import ExecutionError
from labgrid.factory import target_factory
from labgrid.protocol import ConsoleProtocol, PowerProtocol
from labgrid.step import step
from pexpect import TIMEOUT
from pytest_fermata import Checkpoint, Clocks, Serial, Simulation

from .lab import Lab
from .resource import FermataMachine


@target_factory.reg_driver
@attr.s(eq=False)
class FermataDriver(ConsoleExpectMixin, Driver, PowerProtocol, ConsoleProtocol):
    """Power and console of one machine. What is done to it is done to all machines of its simulation, at one instant.

    Args:
        txdelay (float): seconds between two characters that are typed
    """

    bindings = {"fermata_machine": FermataMachine}
    txdelay: float = attr.ib(default=0.0, validator=attr.validators.instance_of(float))

    def __attrs_post_init__(self) -> None:
        super().__attrs_post_init__()
        # Newer releases bring one of their own.
        if getattr(self, "logger", None) is None:
            self.logger = logging.getLogger(f"{self}({self.target})")

    def on_activate(self) -> None:
        source: str = self.fermata_machine.source
        environment = self.target.env
        if environment is not None and "@" not in source:
            source = environment.config.resolve_path(source)
        self.lab = Lab.of(environment or self.target, source, self.fermata_machine.clock)
        self.lab.enter(self)

    def on_deactivate(self) -> None:
        self.lab.leave(self)

    @property
    def simulation(self) -> Simulation:
        """For all that pytest-fermata can do with it."""
        if self.lab.simulation is None:
            raise ExecutionError(f"{self.lab.source} is off: switch it on first")
        return self.lab.simulation

    # Power

    @Driver.check_active
    @step()
    def on(self) -> None:
        """All machines run: as they were, if they are suspended, else from the beginning."""
        self.lab.on()

    @Driver.check_active
    @step()
    def off(self) -> None:
        """All machines end. Checkpoints stay: `resume("booted")` goes on from one."""
        self.lab.off()

    @Driver.check_active
    @step()
    def cycle(self) -> None:
        """All machines begin anew; their checkpoints are gone."""
        self.lab.end()
        self.lab.on()

    # Time

    @Driver.check_active
    @step(args=["checkpoint"], result=True)
    def suspend(self, checkpoint: Optional[str] = None, **when: Any) -> Checkpoint:
        return self.simulation.suspend(checkpoint, **when)

    @Driver.check_active
    @step(args=["checkpoint", "clock"])
    def resume(
        self,
        checkpoint: Union[str, Checkpoint, None] = None,
        clock: Optional[str] = None,
        scope: Optional[str] = None,
    ) -> None:
        self.simulation.resume(checkpoint, clock=clock, scope=scope)

    @Driver.check_active
    @step(args=["checkpoint"], result=True)
    def checkpoint(self, checkpoint: Optional[str] = None) -> Checkpoint:
        return self.simulation.checkpoint(checkpoint)

    @Driver.check_active
    @step(args=["checkpoint", "clock"])
    def rewind(
        self, checkpoint: Union[str, Checkpoint], clock: Optional[str] = None, scope: Optional[str] = None
    ) -> None:
        self.simulation.rewind(checkpoint, clock=clock, scope=scope)

    @Driver.check_active
    def clock(self) -> Clocks:
        """What this machine's clocks read."""
        readings: Mapping[str, Clocks] = self.simulation.clock()
        return readings[self.fermata_machine.machine]

    # Console

    @property
    def _serial(self) -> Serial:
        return self.simulation.machine(self.fermata_machine.machine).serial_port(self.fermata_machine.port)

    def _read(self, size: int = 1, timeout: float = 0.0, max_size: Optional[int] = None) -> bytes:
        # Like other drivers, it gives more than was asked for.
        data = self._serial.read(timeout, max_size or 4096)
        if not data:
            raise TIMEOUT(f"Timeout of {timeout:.2f} seconds exceeded")
        return data

    def _write(self, data: bytes) -> int:
        self._serial.send(data)
        return len(data)
