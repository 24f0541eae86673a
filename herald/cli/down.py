"""`herald down`: stop what `herald up` started."""

import os
import signal
import time

import typer

from herald.local.home import Home, default_folder
from herald.local.terminal import complain, say

DOWN_PATIENCE = 60.0


def down() -> None:
    """Stop what `herald up` started; its data stays."""
    home = Home(default_folder())
    pid = home.holder()
    if pid is None:
        say("Herald is not running here.")
        raise typer.Exit(0)
    os.kill(pid, signal.SIGTERM)
    deadline = time.monotonic() + DOWN_PATIENCE
    while home.holder() == pid:
        if time.monotonic() > deadline:
            os.kill(pid, signal.SIGKILL)
            complain(f"Herald did not stop within {DOWN_PATIENCE:.0f} s and was killed.")
            raise typer.Exit(1)
        time.sleep(0.05)
    say("Herald has stopped.")
