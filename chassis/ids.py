"""Identifiers."""

from __future__ import annotations

import secrets
import string

from uuid_utils import UUID, uuid5, uuid7

_NAMESPACE = UUID("018f3c52-7a10-7b54-9c1e-5f0a3e9d6b21")
_ALPHABET = string.ascii_letters + string.digits


def new_id() -> str:
    """A UUIDv7 as text; ids made by one process sort as they were made."""
    return str(uuid7())


def derived_id(*parts: str) -> str:
    """A UUIDv5 that depends on the parts alone, so that doing a thing again names it the same."""
    return str(uuid5(_NAMESPACE, "\x1f".join(parts)))


def short_code(length: int = 8) -> str:
    """Random letters and digits; 8 of them are 47 bits."""
    return "".join(secrets.choice(_ALPHABET) for _ in range(length))
