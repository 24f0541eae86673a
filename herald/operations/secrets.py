"""The secrets of an installation: which there are, who reads them, and which Herald makes itself."""

from __future__ import annotations

import base64
import binascii
import secrets
from collections.abc import Mapping
from dataclasses import dataclass

KEY_BYTES = 32


@dataclass(frozen=True, slots=True)
class Secret:
    """One key of the Secret and the variable that it becomes.

    `made`: 32 random bytes in URL-safe base64 that nobody else has to know. Others the operator brings, `optional`
    ones only where the installation uses what they are for. `fernet`: there may be several, comma between, of 32 bytes
    each and not more.
    """

    key: str
    variable: str
    read_by: str
    description: str
    made: bool = False
    optional: bool = False
    fernet: bool = False


SECRETS = (
    Secret("mongo-url", "HERALD_MONGO_URL", "all", "MongoDB's address with user and password"),
    Secret("redis-url", "HERALD_REDIS_URL", "all", "Redis's address with its password"),
    Secret("hub-client-secret", "HERALD_HUB_CLIENT_SECRET", "hub", "the issuer gave it to the client herald-hub"),
    Secret("session-key", "HERALD_SESSION_KEY", "hub", "encrypts the tokens of sessions", made=True, fernet=True),
    Secret("visitor-key", "HERALD_VISITOR_KEY", "sharing", "keys the hashes of visitors", made=True),
    Secret("kafka-password", "HERALD_KAFKA_PASSWORD", "all", "for SCRAM and PLAIN", optional=True),
    Secret("kafka-client-secret", "HERALD_KAFKA_OAUTH_CLIENT_SECRET", "all", "for OAUTHBEARER", optional=True),
    Secret(
        "recruiting-secrets", "HERALD_RECRUITING_SECRETS", "program", "the recruiting system signs by it", optional=True
    ),
    Secret("smtp-password", "HERALD_SMTP_PASSWORD", "program", "of the mail server's account", optional=True),
    Secret(
        "dkim-key", "HERALD_DKIM_KEY", "program", "private RSA key, as PEM, that mails are signed with", optional=True
    ),
    Secret("imap-password", "HERALD_IMAP_PASSWORD", "program", "of the mailbox of bounces", optional=True),
    Secret("smoke-password", "HERALD_SMOKE_PASSWORD", "helm test", "of the synthetic person's account", optional=True),
    Secret(
        "smoke-client-secret",
        "HERALD_SMOKE_CLIENT_SECRET",
        "helm test",
        "of the client for their token",
        optional=True,
    ),
)


def made(bytes_: int = KEY_BYTES) -> str:
    """A fresh key."""
    return base64.urlsafe_b64encode(secrets.token_bytes(bytes_)).decode()


def contents(environ: Mapping[str, str]) -> tuple[dict[str, str], list[Secret]]:
    """The Secret's keys with their values, and what is missing: brought ones come from the environment."""
    found = {one.key: environ.get(one.variable) or (made() if one.made else "") for one in SECRETS}
    missing = [one for one in SECRETS if not found[one.key] and not one.optional]
    return {key: value for key, value in found.items() if value}, missing


def flaw(variable: str, value: str) -> str | None:
    """What is wrong with the value of a secret that Herald makes; None for all others."""
    secret = next((one for one in SECRETS if one.variable == variable), None)
    if secret is None or not secret.made:
        return None
    for key in map(str.strip, value.split(",")) if secret.fernet else [value]:
        try:
            size = len(base64.b64decode(key + "=" * (-len(key) % 4), altchars=b"-_", validate=True))
        except (ValueError, binascii.Error):
            return "is not URL-safe base64"
        if size < KEY_BYTES or (secret.fernet and size > KEY_BYTES):
            return f"has {size} bytes instead of {KEY_BYTES}"
    return None
