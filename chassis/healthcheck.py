"""A container's health check: `python -m chassis.healthcheck`; exit code 0 if the process is ready.

Plain Compose shows an unhealthy container and never replaces it. So this acts where the process should be replaced: if
`/health/live` says so, SIGTERM goes to the container's first process, and if nothing answers four times in a row,
SIGKILL to all others. The container ends, and its restart policy starts it again.
"""

from __future__ import annotations

import os
import signal
import sys
from pathlib import Path
from urllib.error import HTTPError, URLError
from urllib.request import urlopen

SECONDS = 4.0
SILENT = 4
NOTE = Path("/tmp/herald-silent")  # noqa: S108 - a tmpfs of this container alone


def status(url: str) -> int:
    """The answer's status; 0 if there is none in time."""
    try:
        with urlopen(url, timeout=SECONDS) as answer:  # noqa: S310 - an address of this container
            return int(answer.status)
    except HTTPError as error:
        return error.code
    except (URLError, OSError):
        return 0


def check(base: str, note: Path = NOTE) -> bool:
    """Whether the process is ready, after acting where it is not alive."""
    live = status(f"{base}/health/live")
    silent = len(note.read_bytes()) if note.exists() else 0
    if live:
        note.unlink(missing_ok=True)
        if live == 503:
            os.kill(1, signal.SIGTERM)
    else:
        note.write_bytes(b"x" * (silent + 1))
        if silent + 1 >= SILENT:
            note.unlink()
            os.kill(-1, signal.SIGKILL)
    return status(f"{base}/health/ready") == 200


if __name__ == "__main__":
    sys.exit(0 if check(f"http://127.0.0.1:{os.environ.get('HERALD_PORT', '8080')}") else 1)
