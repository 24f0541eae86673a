"""The `herald` command: one typer application, one sub-command a task."""

from collections.abc import Callable

import typer

from herald import (
    bench_cli,
    contracts_cli,
    deadletters_cli,
    demo_cli,
    docker_cli,
    run_cli,
    token_cli,
    topics_cli,
    trace_cli,
    verify_cli,
)
from herald.local import cli as local

app = typer.Typer(name="herald", no_args_is_help=True, pretty_exceptions_enable=False)
app.add_typer(contracts_cli.app)
app.add_typer(topics_cli.app)
app.add_typer(deadletters_cli.app)
_COMMANDS: tuple[Callable[..., None], ...] = (
    local.up,
    local.status,
    local.down,
    local.logs,
    demo_cli.demo,
    run_cli.run,
    bench_cli.bench,
    trace_cli.trace,
    token_cli.token,
    verify_cli.verify,
    docker_cli.docker_env,
)
for command in _COMMANDS:
    app.command()(command)


@app.callback()
def herald() -> None:
    """Run, watch and steer Herald."""


def main() -> None:
    """Entry point of the `herald` script and of `python -m herald`."""
    app()
