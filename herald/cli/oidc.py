"""`herald oidc`: what to register for Herald with a company's OpenID Connect provider."""

from __future__ import annotations

import os
from typing import Annotated

import typer

from herald.local.terminal import one_sentence

CLAIMS = (
    ("email, email_verified", "the person's address; an imported person is found by it, once, when it is verified"),
    ("name", "shown to colleagues"),
    ("locale", "language until the person chooses one"),
    ("country, team", "of those who were not imported"),
)


def oidc(
    public_url: Annotated[
        str, typer.Option(help="The one address that people use", envvar="HERALD_PUBLIC_URL")
    ] = "http://127.0.0.1:8080",
    issuer: Annotated[
        str, typer.Option(help="The provider's issuer address, to look at what it can do", envvar="HERALD_ISSUER")
    ] = "",
) -> None:
    """Print what to register with your OpenID Connect provider; with --issuer, check that it does what Herald needs."""
    from chassis.web.tokens import ALGORITHMS
    from herald.contracts.rights import scopes
    from herald.local.provider import discover, shortcomings
    from services.hub.oidc import CALLBACK, SIGNED_OUT

    url = public_url.rstrip("/")
    audience, account = setting("audience"), setting("account_claim")
    sections = {
        "A client for people: a confidential web application": [
            ("client id", setting("hub_client_id")),
            ("redirect address", f"{url}{CALLBACK}"),
            ("address after sign-out", f"{url}{SIGNED_OUT}"),
            ("grants", "authorization code with PKCE (S256), refresh token"),
            ("proves itself by", "client_secret_basic"),
            ("scopes it asks for", setting("hub_scope")),
        ],
        "Its access tokens: JWT": [
            ("signed by", ", ".join(ALGORITHMS)),
            ("iss", issuer or "the issuer's address, as its discovery document has it"),
            ("aud", f"has {audience}"),
            (account, "tells one account from another, and never changes"),
            *CLAIMS,
        ],
        "A client for each other system: by client credentials": [
            ("aud", f"has {audience}"),
            ("scopes", "one or more of"),
            *(("", scope) for scope in scopes()),
        ],
    }
    for title, lines in sections.items():
        typer.echo(f"{title}\n")
        for name, text in lines:
            typer.echo(f"  {name:<24}{text}".rstrip())
        typer.echo()
    typer.echo("Keycloak, Entra and Okta, step by step: docs/guides/sign-in.md")
    if issuer:
        with one_sentence():
            metadata = discover(issuer)
        wrong = shortcomings(metadata)
        for one in wrong:
            typer.echo(f"The provider does not do: {one}", err=True)
        if not metadata.get("end_session_endpoint"):
            typer.echo("The provider has no address to sign out at: its own session lives on after a sign-out here.")
        if wrong:
            raise typer.Exit(1)
        typer.echo(f"{issuer} answers, and does what Herald needs.")


def setting(name: str) -> str:
    """A setting of the hub as the environment has it, or its default."""
    from services.hub.settings import HubSettings

    return os.environ.get(f"HERALD_{name.upper()}") or str(HubSettings.model_fields[name].default)
