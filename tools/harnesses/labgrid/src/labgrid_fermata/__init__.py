"""Coupled QEMU machines as labgrid targets. To be named under `imports:` of an environment."""

from .driver import FermataDriver
from .lab import Lab
from .resource import FermataMachine

__all__ = ["FermataDriver", "FermataMachine", "Lab"]
