"""The `herald` command: one typer application, one sub-command a task."""

import typer

from herald import contracts_cli, topics_cli

app = typer.Typer(name="herald", no_args_is_help=True, pretty_exceptions_enable=False)
app.add_typer(contracts_cli.app)
app.add_typer(topics_cli.app)


@app.callback()
def herald() -> None:
    """Run, watch and steer Herald."""


def main() -> None:
    """Entry point of the `herald` script and of `python -m herald`."""
    app()
