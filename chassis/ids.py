"""Identifiers."""

from __future__ import annotations

import hashlib
import secrets
import string
from datetime import datetime

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


def dated_id(moment: datetime, *parts: str) -> str:
    """A UUIDv7 of that moment which depends on the arguments alone: it sorts by time and names the same thing again."""
    digest = hashlib.sha256("\x1f".join(parts).encode()).digest()
    bits = int.from_bytes(digest[:10], "big")
    milliseconds = int(moment.timestamp() * 1000) & (1 << 48) - 1
    value = milliseconds << 80 | 0x7 << 76 | (bits & 0xFFF) << 64 | 0b10 << 62 | bits >> 12 & (1 << 62) - 1
    return str(UUID(int=value))
