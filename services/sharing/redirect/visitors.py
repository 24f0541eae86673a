"""Who a visitor is: a keyed hash of address, browser and day. Where they come from: a host, and nothing else."""

from __future__ import annotations

import re
from functools import lru_cache
from hashlib import blake2b
from ipaddress import ip_address, ip_network
from urllib.parse import urlsplit

MAX_HEADER = 512
REMEMBERED = 16_384
_HOST = re.compile(r"[a-z0-9](?:[a-z0-9.-]{0,251}[a-z0-9])?")


def visitor_of(key: bytes, address: str, user_agent: str, day: str) -> str:
    """The visitor's keyed hash, 32 hexadecimal digits: the same all day (ISO, in UTC), another one the next.

    Of an IPv6 address only the network (/64) counts, because the rest changes by itself.
    """
    keyed = _keyed(key).copy()
    keyed.update(f"{day}\n{_place(address)}\n{user_agent[:MAX_HEADER]}".encode("utf-8", "surrogateescape"))
    return keyed.hexdigest()


@lru_cache(maxsize=4)
def _keyed(key: bytes) -> blake2b:
    return blake2b(key=key, digest_size=16)


@lru_cache(maxsize=REMEMBERED)
def _place(address: str) -> str:
    try:
        parsed = ip_address(address)
    except ValueError:
        return address[:64]
    if parsed.version == 4:
        return str(parsed)
    if parsed.ipv4_mapped is not None:
        return str(parsed.ipv4_mapped)
    return str(ip_network((int(parsed) >> 64 << 64, 64)))


def referrer_host(referrer: str) -> str | None:
    """The host that a `Referer` names; nothing else of it is kept."""
    try:
        host = (urlsplit(referrer[:2048]).hostname or "").lower()
    except ValueError:
        return None
    return host if _HOST.fullmatch(host) else None
