"""Coupled QEMU machines for tests: fixtures over fermata, which suspends, copies and resumes them."""

from ._control import VERSION as __version__
from ._errors import FermataError, SerialTimeout
from ._fermata import Fermata
from ._machine import Clocks, Machine, Serial
from ._simulation import Checkpoint, Simulation

__all__ = [
    "Checkpoint",
    "Clocks",
    "Fermata",
    "FermataError",
    "Machine",
    "Serial",
    "SerialTimeout",
    "Simulation",
    "__version__",
]
