"""Ports on the loopback interface."""

import json
import socket
from collections.abc import Iterable
from pathlib import Path

from herald.local.errors import LocalError

LOOPBACK = "127.0.0.1"


def is_free(port: int) -> bool:
    """Whether a server could listen on `port` now."""
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((LOOPBACK, port))
        except OSError:
            return False
    return True


def require_free(port: int) -> None:
    """Raises LocalError when something listens on `port`."""
    if not is_free(port):
        raise LocalError(f"Port {port} is in use by another program: stop it, or choose another with --port.")


def free_ports(names: Iterable[str], remembered: Path) -> dict[str, int]:
    """A free port for each name, the same as last time (kept in the file `remembered`) where still free.

    All are held at once while choosing, so that no two names get the same.
    """
    try:
        before: dict[str, int] = json.loads(remembered.read_text())
    except (OSError, ValueError):
        before = {}
    chosen = dict(before)
    held = []
    try:
        for name in names:
            probe = socket.socket()
            held.append(probe)
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            try:
                probe.bind((LOOPBACK, before.get(name, 0)))
            except OSError:
                probe.bind((LOOPBACK, 0))
            chosen[name] = probe.getsockname()[1]
    finally:
        for probe in held:
            probe.close()
    remembered.write_text(json.dumps(chosen, indent=1))
    return {name: chosen[name] for name in names}
