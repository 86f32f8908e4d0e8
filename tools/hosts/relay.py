#!/usr/bin/env python3
"""Passes TCP connections on, each piece later by a fixed time: what `netem` would do, where the kernel has none.

Runs in the host's own namespace, before its agent, so that the host keeps its address. Written with threads: asyncio waits in whole
milliseconds.

Usage: relay.py --listen ADDRESS:PORT --to ADDRESS:PORT --delay MS
"""

import argparse
import queue
import socket
import threading
import time

PIECE = 65536


def forward(source: socket.socket, target: socket.socket, delay: float) -> None:
    """One direction: a thread takes what comes and notes when; this one sends it on when it is due."""
    pieces: queue.SimpleQueue[tuple[float, bytes]] = queue.SimpleQueue()

    def take() -> None:
        while True:
            try:
                piece = source.recv(PIECE)
            except OSError:
                piece = b""
            pieces.put((time.monotonic() + delay, piece))
            if not piece:
                return

    threading.Thread(target=take, daemon=True).start()
    while True:
        due, piece = pieces.get()
        time.sleep(max(0, due - time.monotonic()))
        try:
            if not piece:
                target.shutdown(socket.SHUT_WR)
                return
            target.sendall(piece)
        except OSError:
            return


def serve(near: socket.socket, to: tuple[str, int], delay: float) -> None:
    try:
        far = socket.create_connection(to, timeout=5)
    except OSError:
        near.close()
        return
    far.settimeout(None)
    for end in (near, far):
        end.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    ways = [threading.Thread(target=forward, args=(*ends, delay), daemon=True) for ends in ((near, far), (far, near))]
    for way in ways:
        way.start()
    for way in ways:
        way.join()
    near.close()
    far.close()


def endpoint(text: str) -> tuple[str, int]:
    host, _, port = text.rpartition(":")
    return host, int(port)


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--listen", type=endpoint, required=True)
    parser.add_argument("--to", type=endpoint, required=True)
    parser.add_argument("--delay", type=float, required=True)
    options = parser.parse_args()
    listener = socket.create_server(options.listen, backlog=64)
    while True:
        near, _ = listener.accept()
        threading.Thread(target=serve, args=(near, options.to, options.delay / 1e3), daemon=True).start()


if __name__ == "__main__":
    main()
