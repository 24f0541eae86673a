"""`herald bench`: the measurements that the documents quote. They live in a checkout, not in the command."""

from __future__ import annotations

import subprocess
import sys
from importlib.util import find_spec

import typer

PASSED_ON = {"allow_extra_args": True, "ignore_unknown_options": True, "help_option_names": []}


def bench(context: typer.Context) -> None:
    """Measure Herald against its baselines (in a checkout): the arguments go to 'python -m bench'."""
    if find_spec("bench") is None:
        typer.echo("herald: the benches are not installed: run this in a checkout of Herald", err=True)
        raise typer.Exit(2)
    raise typer.Exit(subprocess.run([sys.executable, "-m", "bench", *context.args], check=False).returncode)  # noqa: S603
