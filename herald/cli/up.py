"""`herald up`: Kafka, MongoDB, Redis and all of Herald on this machine."""

import os
from typing import Annotated

import typer

from herald.local.home import Home, default_folder
from herald.local.terminal import one_sentence, progress_bars, say


def up(
    detach: Annotated[bool, typer.Option("--detach", "-d", help="Return once it is ready.")] = False,
    split: Annotated[bool, typer.Option("--split", help="One process a role, as on Kubernetes.")] = False,
    port: Annotated[int, typer.Option(min=1, max=65535, help="Port of the one address.")] = 8080,
    issuer: Annotated[
        str, typer.Option(envvar="HERALD_ISSUER", help="Your own OpenID Connect provider; see 'herald oidc'.")
    ] = "",
    admins: Annotated[
        str, typer.Option(envvar="HERALD_PROGRAM_ADMINS", help="With --issuer: addresses of the first administrators.")
    ] = "",
) -> None:
    """Start Kafka, MongoDB, Redis and all of Herald on this machine."""
    from herald.local import up as stack
    from herald.local.provider import provider_of

    with one_sentence():
        home = Home(default_folder())
        begin = stack.run_detached if detach else stack.run
        provider = provider_of(issuer, admins, os.environ) if issuer else None
        begin(home, port, split, say, progress_bars, provider=provider)
