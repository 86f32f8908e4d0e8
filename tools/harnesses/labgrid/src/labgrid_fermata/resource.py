from __future__ import annotations

from typing import Optional

import attr
from labgrid.factory import target_factory
from labgrid.resource import Resource


@target_factory.reg_resource
@attr.s(eq=False)
class FermataMachine(Resource):
    """One machine of a simulation. Targets of an environment that name the same source share the simulation.

    Args:
        source (str): a manifest, relative to the environment's file, or a checkpoint SIM@NAME, of which a copy is made
        machine (str): the machine's name in it
        port (int): the serial port that is the console
        clock (str): the clock policy with which a copy of a checkpoint begins
    """

    source: str = attr.ib(validator=attr.validators.instance_of(str))
    machine: str = attr.ib(validator=attr.validators.instance_of(str))
    port: int = attr.ib(default=0, validator=attr.validators.instance_of(int))
    clock: Optional[str] = attr.ib(default=None, validator=attr.validators.optional(attr.validators.instance_of(str)))
