#!/usr/bin/python3
"""Stands in for valkey-cli, as far as a probe asks it: one command, with the password of REDISCLI_AUTH."""

import os
import socket
import sys


def main(*words: str) -> str:
    with socket.create_connection(("127.0.0.1", 6379), 3) as door, door.makefile("rb") as answers:

        def ask(*words: str) -> str:
            parts = [one.encode() for one in words]
            door.sendall(b"*%d\r\n" % len(parts) + b"".join(b"$%d\r\n%s\r\n" % (len(one), one) for one in parts))
            return answers.readline().decode().strip()

        if password := os.environ.get("REDISCLI_AUTH"):
            ask("AUTH", password)
        return ask(*words)


if __name__ == "__main__":
    said = main(*sys.argv[1:])
    print(said)
    sys.exit(said.startswith("-"))
