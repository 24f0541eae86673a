"""`herald docker-env`: the `.env` of docker-compose.yml, with fresh secrets."""

from __future__ import annotations

import base64
import os
import secrets
from pathlib import Path
from typing import Annotated
from urllib.parse import urlsplit

import typer

KEY_FILE = Path(".herald/docker/issuer.pem")
KEY_BITS = 2048


def docker_env(
    public_url: Annotated[str, typer.Option(help="the one address that people use")] = "http://herald.localhost:8080",
    issuer: Annotated[
        str | None, typer.Option(help="the company's OpenID Connect issuer; the profile 'try' without it")
    ] = None,
    admins: Annotated[str, typer.Option(help="e-mail addresses of the first administrators")] = "ines@herald.example",
    out: Annotated[Path, typer.Option(help="the file to write")] = Path(".env"),
) -> None:
    """Write the .env that docker-compose.yml needs, with fresh secrets; an existing file is left alone."""
    host = urlsplit(public_url).hostname
    if host is None:
        typer.echo(f"--public-url is no address: {public_url}", err=True)
        raise typer.Exit(2)
    values = {
        "HERALD_PUBLIC_URL": public_url.rstrip("/"),
        "HERALD_HOST": host,
        "HERALD_ISSUER": issuer or f"{public_url.rstrip('/')}/issuer",
        "HERALD_PROGRAM_ADMINS": admins,
        "HERALD_HUB_CLIENT_SECRET": _secret(),
        "HERALD_SESSION_KEY": _secret(),
        "HERALD_VISITOR_KEY": _secret(),
        "VALKEY_PASSWORD": secrets.token_hex(24),
        "GRAFANA_PASSWORD": secrets.token_hex(24),
    }
    if issuer is None:
        values["COMPOSE_PROFILES"] = "try"
    try:
        _write(out, "".join(f"{name}={value}\n" for name, value in values.items()).encode(), 0o600)
        if issuer is None and not KEY_FILE.exists():
            _write_issuer_key()
    except FileExistsError:
        typer.echo(f"{out} is there already; remove it to get new secrets.", err=True)
        raise typer.Exit(1) from None
    except OSError as error:
        typer.echo(f"{error.filename}: {error.strerror}", err=True)
        raise typer.Exit(1) from None
    typer.echo(f"{out} is written: 'docker compose up --build --wait' starts Herald at {public_url}")


def _secret() -> str:
    return base64.urlsafe_b64encode(secrets.token_bytes(32)).decode()


def _write_issuer_key() -> None:
    """The container's user must be able to read the file: the folder's mode keeps other users out."""
    from joserfc.jwk import RSAKey

    KEY_FILE.parent.mkdir(parents=True, exist_ok=True)
    KEY_FILE.parent.chmod(0o700)
    _write(KEY_FILE, RSAKey.generate_key(KEY_BITS).as_pem(private=True), 0o644)


def _write(path: Path, content: bytes, mode: int) -> None:
    handle = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, mode)
    with os.fdopen(handle, "wb") as file:
        file.write(content)
