"""`herald smoke`: one share, from the tap to the figure, on any installation."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer


def smoke(
    url: Annotated[str, typer.Option(envvar="HERALD_PUBLIC_URL", help="The one address; that of the local stack")] = "",
    issuer: Annotated[str, typer.Option(envvar="HERALD_ISSUER", help="Who gives the person's token")] = "",
    network: Annotated[str, typer.Option(help="Where the item is shared")] = "linkedin",
    persona: Annotated[str, typer.Option(help="With a development issuer: who shares")] = "amina",
    key_file: Annotated[
        Path | None, typer.Option(envvar="HERALD_ISSUER_KEY_FILE", help="The key of a development issuer")
    ] = None,
    ca_file: Annotated[
        Path | None,
        typer.Option(envvar="HERALD_CA_FILE", help="Authorities of your own, as PEM, beside the public ones"),
    ] = None,
    patience: Annotated[float, typer.Option(min=1, help="Seconds until an effect must be seen")] = 60.0,
) -> None:
    """Share an item as a synthetic person, follow its link, wait for post and figures to know it, and withdraw it.

    Exit 1 with a sentence for the step that failed. The person is an ambassador who can share: HERALD_SMOKE_TOKEN, or
    HERALD_SMOKE_USERNAME and HERALD_SMOKE_PASSWORD at the issuer, or a persona of a development issuer.
    """
    import httpx

    from chassis.authorities import https_context
    from herald.local.home import Home, default_folder
    from herald.operations.smoke import Failed, Smoke, SmokeSettings, token_of

    home = Home(default_folder())
    address = url or str(home.read_state().get("url") or "")
    if not address:
        typer.echo("herald: say where Herald is: --url, or start it with 'herald up'", err=True)
        raise typer.Exit(2)
    settings = SmokeSettings()
    with httpx.Client(timeout=30, trust_env=False, verify=https_context(ca_file)) as client:
        try:
            if settings.token is None and settings.username is None:
                token = _of_persona(issuer or f"{address}/issuer", key_file or home.issuer_key, persona)
            else:
                token = token_of(settings, issuer, client)
            for step in Smoke(address, token, client, patience=patience).walk(network):
                typer.echo(f"ok   {step.seconds:6.2f} s  {step.name}")
        except Failed as error:
            typer.echo(f"no   {error}", err=True)
            raise typer.Exit(1) from None


def _of_persona(issuer: str, key_file: Path, persona: str) -> str:
    """Raises Failed."""
    import httpx

    from herald.cli.token import fetch_token
    from herald.development.issuer import PERSONA_GRANT
    from herald.operations.smoke import Failed

    try:
        return fetch_token(issuer, key_file, {"grant_type": PERSONA_GRANT, "persona": persona})
    except httpx.HTTPStatusError as error:
        raise Failed(f"the development issuer gives no token to {persona}: {error.response.status_code}") from None
    except (httpx.HTTPError, OSError) as error:
        raise Failed(
            f"no token: set HERALD_SMOKE_TOKEN, or HERALD_SMOKE_USERNAME and HERALD_SMOKE_PASSWORD ({error})"
        ) from None
