"""The address of a Redis: one server, or the Sentinels that know which server is the master."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any
from urllib.parse import parse_qs, unquote, urlsplit

PLAIN, BY_SENTINEL = ("redis", "rediss", "unix"), ("redis+sentinel", "rediss+sentinel")
SENTINEL_PORT = 26379


@dataclass(frozen=True, slots=True)
class Sentinels:
    """Where the Sentinels are, the master's name, and what both kinds of servers are asked with.

    `rediss+sentinel` means TLS to both. `sentinel_username` and `sentinel_password` of the query are for Sentinels that
    ask for them; the user in front of the hosts is the master's.
    """

    hosts: tuple[tuple[str, int], ...]
    master: str
    tls: bool
    of_master: dict[str, Any]
    of_sentinels: dict[str, Any]


def parse_redis_url(url: str) -> Sentinels | None:
    """The Sentinels that it names; None for the address of a server. Raises ValueError, which names no password."""
    parts = urlsplit(url)
    if parts.scheme in PLAIN:
        return None
    if parts.scheme not in BY_SENTINEL:
        raise ValueError(f"begins with none of {', '.join(f'{scheme}://' for scheme in PLAIN + BY_SENTINEL)}")
    credentials, _, hosts = parts.netloc.rpartition("@")
    username, _, password = credentials.partition(":")
    master, _, db = parts.path.strip("/").partition("/")
    if not hosts or not master or not (db or "0").isdigit():
        raise ValueError("is not redis+sentinel://USER:PASSWORD@HOST:PORT,HOST:PORT/MASTER/DATABASE")
    asked = parse_qs(parts.query)
    return Sentinels(
        hosts=tuple(_host(one) for one in hosts.split(",")),
        master=unquote(master),
        tls=parts.scheme.startswith("rediss"),
        of_master={"db": int(db or 0), **_credentials(unquote(username), unquote(password))},
        of_sentinels=_credentials(*(asked.get(f"sentinel_{name}", [""])[0] for name in ("username", "password"))),
    )


def _host(text: str) -> tuple[str, int]:
    found = urlsplit(f"//{text}")
    if not found.hostname:
        raise ValueError("names a Sentinel without a host")
    return found.hostname, found.port or SENTINEL_PORT


def _credentials(username: str, password: str) -> dict[str, str]:
    return {name: value for name, value in (("username", username), ("password", password)) if value}
