"""Named points at which a test can kill the process, to see what a crash there leaves behind.

`HERALD_FAILPOINT=<name>[:<hits to let pass>]` arms one; without it a call costs one comparison.
"""

from __future__ import annotations

import os

_name, _, _passes = os.environ.get("HERALD_FAILPOINT", "").partition(":")
_left = int(_passes or 0)


def failpoint(name: str) -> None:
    """End the process at once, as SIGKILL would, if this point is armed."""
    global _left  # noqa: PLW0603 - the count belongs to the process, like the environment it came from
    if name != _name:
        return
    if _left == 0:
        os._exit(137)
    _left -= 1
