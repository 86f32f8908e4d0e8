"""Holds up what a daemon writes to its state database, from outside, as Tests/EndToEndTests/Faults/DatabaseGate.swift does: the daemon
stays before that step for as long as its patience with a busy database lasts (5 s).

In SQLite's WAL mode whoever writes holds a lock on byte 120 of the `-shm` file (https://www.sqlite.org/walformat.html).
"""

import fcntl
import os
import pathlib
import struct
import time

# Of the descriptor and not of this process (F_OFD_SETLK).
SET_LOCK = 37
LOCK_BYTE = 120


class DatabaseGate:
    def __init__(self, home: pathlib.Path) -> None:
        self.file = os.open(home / "state.sqlite-shm", os.O_RDWR | os.O_CLOEXEC)

    def __enter__(self) -> "DatabaseGate":
        return self

    def __exit__(self, *_: object) -> None:
        os.close(self.file)

    def shut(self) -> None:
        """No write passes any more."""
        deadline = time.monotonic() + 10
        while not self.lock(fcntl.F_WRLCK):
            if time.monotonic() > deadline:
                raise TimeoutError("the database's lock is never free")

    def open(self) -> None:
        self.lock(fcntl.F_UNLCK)

    def lock(self, kind: int) -> bool:
        # struct flock of 64-bit Linux: type, whence, start, length, process.
        span = struct.pack("hhxxxxqqixxxx", kind, os.SEEK_SET, LOCK_BYTE, 1, 0)
        try:
            fcntl.fcntl(self.file, SET_LOCK, span)
        except (BlockingIOError, PermissionError):
            return False
        return True
