"""The `herald` command: one typer application, one sub-command a task."""

import typer

from herald import contracts_cli, run_cli, topics_cli, trace_cli
from herald.local import cli as local

app = typer.Typer(name="herald", no_args_is_help=True, pretty_exceptions_enable=False)
app.add_typer(contracts_cli.app)
app.add_typer(topics_cli.app)
for command in (local.up, local.status, local.down, local.logs, run_cli.run, trace_cli.trace):
    app.command()(command)


@app.callback()
def herald() -> None:
    """Run, watch and steer Herald."""


def main() -> None:
    """Entry point of the `herald` script and of `python -m herald`."""
    app()
