"""Whom Herald's own HTTPS calls trust: of the issuer, and of what gives tokens for Kafka."""

from __future__ import annotations

import ssl
from functools import cache
from pathlib import Path

import httpx


def https_context(more: Path | None = None) -> ssl.SSLContext:
    """The authorities of SSL_CERT_FILE, or else the public ones, and those of `more` (PEM) beside them.

    Raises OSError and ValueError for a file that has none.
    """
    if more is None:
        return _usual()
    context = httpx.create_ssl_context()
    context.load_verify_locations(cafile=more)
    return context


@cache
def _usual() -> ssl.SSLContext:
    """Read once a process: to read them takes tens of milliseconds."""
    return httpx.create_ssl_context()
