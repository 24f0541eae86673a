"""The `herald` command: one typer application, one module a command."""

import os
import sys
from collections.abc import Callable

import typer

from chassis.config_files import load_config_files
from herald.cli.bench import PASSED_ON, bench
from herald.cli.contracts import app as contracts
from herald.cli.deadletters import app as deadletters
from herald.cli.demo import demo
from herald.cli.docker_env import docker_env
from herald.cli.down import down
from herald.cli.history import app as history
from herald.cli.languages import languages
from herald.cli.links import app as links
from herald.cli.logs import logs
from herald.cli.oidc import oidc
from herald.cli.outbox import app as outbox
from herald.cli.preflight import preflight
from herald.cli.prepare import prepare
from herald.cli.recover import recover
from herald.cli.run import run
from herald.cli.secrets import app as secrets
from herald.cli.smoke import smoke
from herald.cli.status import status
from herald.cli.token import token
from herald.cli.topics import app as topics
from herald.cli.trace import trace
from herald.cli.up import up
from herald.cli.verify import verify

app = typer.Typer(name="herald", no_args_is_help=True, pretty_exceptions_enable=False)
for group in (contracts, topics, deadletters, outbox, history, secrets, links):
    app.add_typer(group)
COMMANDS: tuple[Callable[..., None], ...] = (
    up,
    status,
    down,
    logs,
    demo,
    run,
    bench,
    trace,
    token,
    verify,
    languages,
    oidc,
    docker_env,
    preflight,
    prepare,
    recover,
    smoke,
)
for command in COMMANDS:
    app.command(context_settings=PASSED_ON if command is bench else None)(command)


@app.callback()
def herald() -> None:
    """Run, observe and operate Herald."""


def main() -> None:
    """Entry point of the `herald` script and of `python -m herald`."""
    try:
        load_config_files(os.environ)
    except OSError as error:
        sys.exit(f"herald: HERALD_CONFIG_DIR: {error.filename}: {error.strerror}")
    app()
