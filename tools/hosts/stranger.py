#!/usr/bin/env python3
"""Says one thing to an agent, whoever it is that says it; prints what came of it as a line of JSON.

Usage: stranger.py [--credentials NAME.pem] [--plain] ADDRESS:PORT PATH BODY
"""

import argparse
import json
import pathlib
import re
import socket
import ssl
import tempfile


def dressed(connection: socket.socket, credentials: pathlib.Path | None) -> ssl.SSLSocket:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname = False
    # Whom it talks to is nothing to a stranger.
    context.verify_mode = ssl.CERT_NONE
    if credentials:
        # The certificate, the key, and the authority's certificate, which is no part of the chain.
        blocks = re.findall(r"-----BEGIN .*?-----END [^\n]*\n", credentials.read_text(), re.DOTALL)
        with tempfile.NamedTemporaryFile("w", suffix=".pem") as own:
            own.write("".join(blocks[:2]))
            own.flush()
            context.load_cert_chain(own.name)
    return context.wrap_socket(connection)


def say(options: argparse.Namespace) -> dict:
    host, _, port = options.agent.rpartition(":")
    body = options.body.encode()
    head = f"POST {options.path} HTTP/1.1\r\nhost: {host}\r\ncontent-type: application/json\r\ncontent-length: {len(body)}\r\nconnection: close\r\n\r\n"
    try:
        with socket.create_connection((host, int(port)), timeout=15) as bare:
            connection = bare if options.plain else dressed(bare, options.credentials)
            connection.sendall(head.encode() + body)
            answer = b""
            while piece := connection.recv(65536):
                answer += piece
    except OSError as error:
        # Of TLS 1.3 a client hears only with the first answer that it was refused.
        return {"refused": str(error)}
    if not answer.startswith(b"HTTP/1.1 "):
        return {"refused": f"no answer but {answer[:40]!r}"}
    return {"status": int(answer.split()[1]), "answer": answer.partition(b"\r\n\r\n")[2].decode(errors="replace")[:1000]}


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--credentials", type=pathlib.Path)
    parser.add_argument("--plain", action="store_true")
    parser.add_argument("agent")
    parser.add_argument("path")
    parser.add_argument("body")
    print(json.dumps(say(parser.parse_args())))


if __name__ == "__main__":
    main()
