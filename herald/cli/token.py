"""`herald token`: a bearer token of the running development issuer, for use with curl."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import httpx
import typer

from herald.development.issuer import COMMAND_CLIENT, MACHINE_CLIENT, PERSONA_GRANT, derived_secret, read_key
from herald.development.personas import PERSONAS


def fetch_token(issuer: str, key_file: Path, form: dict[str, str], *, client: str = COMMAND_CLIENT) -> str:
    """A token from the issuer at `issuer`; the key file authenticates the request. Raises httpx.HTTPError, or
    OSError."""
    secret = derived_secret(read_key(key_file), client)
    answer = httpx.post(f"{issuer}/token", data=form, auth=(client, secret), timeout=10, trust_env=False)
    token: str = answer.raise_for_status().json()["access_token"]
    return token


def token(
    persona: Annotated[str, typer.Argument(help=f"{', '.join(one.key for one in PERSONAS)}, an e-mail, or 'machine'")],
    issuer: Annotated[str | None, typer.Option(help="The issuer; that of the stack that runs here by default")] = None,
    key_file: Annotated[Path | None, typer.Option(help="Its key file", envvar="HERALD_ISSUER_KEY_FILE")] = None,
) -> None:
    """Print a bearer token of the running local issuer, for an hour."""
    from herald.local.home import Home, default_folder

    home = Home(default_folder())
    address = issuer or _running_issuer(home.read_state())
    form = {"grant_type": PERSONA_GRANT, "persona": persona}
    client = COMMAND_CLIENT
    if persona == "machine":
        form, client = {"grant_type": "client_credentials"}, MACHINE_CLIENT
    try:
        typer.echo(fetch_token(address, key_file or home.issuer_key, form, client=client))
    except httpx.HTTPStatusError as error:
        _fail(str(error.response.json().get("error_description", error.response.status_code)))
    except httpx.HTTPError:
        _fail(f"no issuer answers at {address}: start the stack with 'herald up'")
    except OSError as error:
        _fail(f"the issuer's key cannot be read: {error}")


def _running_issuer(state: dict[str, object]) -> str:
    if state.get("issuer"):
        _fail(f"the stack that runs here takes the tokens of {state['issuer']}: get one there")
    address = state.get("url") or state.get("public_url")
    if not isinstance(address, str):
        _fail("no stack runs here: start it with 'herald up', or name its issuer with --issuer")
    return f"{address}/issuer"


def _fail(sentence: str) -> typer.Exit:
    typer.echo(f"herald: {sentence}", err=True)
    raise typer.Exit(1)
