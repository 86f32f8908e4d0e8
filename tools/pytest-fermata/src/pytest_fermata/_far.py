"""The serial port of a machine on another host, through the daemon."""

from __future__ import annotations

import base64
import http.client
import json
import threading
from typing import Optional

from ._control import Control
from ._errors import FermataError


class FarSerial:
    """All that came out of a port, as it comes, and what is typed into it."""

    #: Before a daemon or a machine that is not there is asked for again, in seconds.
    _PAUSE = 0.2

    def __init__(self, control: Control, simulation: str, machine: str, port: int) -> None:
        self._control = control
        self._path = f"/v1/simulations/{simulation}/machines/{machine}/serial?port={port}"
        self._output = bytearray()
        self._lock = threading.Lock()
        #: Why nothing is heard now.
        self.trouble: Optional[str] = None
        threading.Thread(target=self._listen, name=f"{simulation}/{machine}", daemon=True).start()

    @property
    def output(self) -> bytes:
        """All of it, so far."""
        with self._lock:
            return bytes(self._output)

    def send(self, data: bytes) -> None:
        self._control.request("POST", self._path, {"base64": base64.b64encode(data).decode()})

    def _listen(self) -> None:
        seen = 0
        pause = threading.Event()
        while True:
            try:
                for name, seen, data in self._control.follow(self._path, seen):
                    self._take(name, data)
            except FermataError as error:
                if error.code == "simulation-not-found":
                    return
                self.trouble = str(error)
            except (OSError, ValueError, http.client.HTTPException):
                # The daemon has ended; the next one goes on where this one was.
                pass
            pause.wait(self._PAUSE)

    def _take(self, name: str, data: bytes) -> None:
        with self._lock:
            if name == "output":
                self._output += base64.b64decode(data)
                self.trouble = None
            elif name == "state":
                state = json.loads(data)
                self.trouble = None if state["state"] == "connected" else str(state["message"])
