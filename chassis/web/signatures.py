"""Signed calls of systems that have no token of ours, as Standard Webhooks has them (https://www.standardwebhooks.com).

`webhook-id`, `webhook-timestamp` (seconds since 1970) and the body, with dots between, are signed with HMAC-SHA256;
`webhook-signature` lists the signatures as `v1,<base64>`, with spaces between. A secret is `whsec_` and base64 of 24 to
64 bytes.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import hmac
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Final

from chassis.web.problems import Unauthenticated

PREFIX: Final = "whsec_"
TOLERANCE: Final = timedelta(minutes=5)
"""That a call's time may be off: whoever repeats a call must do so within it, and then its id is known."""
MAX_ID: Final = 128


@dataclass(frozen=True, slots=True)
class SignedCall:
    """A call whose signature is right: its id, by which it takes effect once, and a fingerprint of its body."""

    id: str
    fingerprint: str


def secret_of(text: str) -> bytes:
    """The bytes of a secret. Raises ValueError."""
    try:
        found = base64.b64decode(text.removeprefix(PREFIX), validate=True)
    except binascii.Error:
        raise ValueError("a secret is whsec_ and base64") from None
    if not text.startswith(PREFIX) or not 24 <= len(found) <= 64:
        raise ValueError("a secret is whsec_ and base64 of 24 to 64 bytes")
    return found


def sign(secret: bytes, id: str, timestamp: int, body: bytes) -> str:
    """The value of `webhook-signature`."""
    digest = hmac.new(secret, f"{id}.{timestamp}.".encode() + body, hashlib.sha256).digest()
    return f"v1,{base64.b64encode(digest).decode()}"


def verify(secrets: Iterable[bytes], headers: Mapping[str, str], body: bytes, now: datetime) -> SignedCall:
    """The call, signed by one of the secrets. Raises Unauthenticated with `rule` `missing`, `timestamp` or
    `signature`."""
    id, moment, given = check_signed(headers)
    if not (moment.isascii() and moment.isdecimal() and len(moment) <= 12) or len(id) > MAX_ID:
        raise _refused("timestamp", "The time of the call is a number of seconds.")
    at = datetime(1970, 1, 1, tzinfo=UTC) + timedelta(seconds=int(moment))
    if abs(now - at) > TOLERANCE:
        raise _refused("timestamp", "The call is too old, or of the future.")
    expected = [sign(secret, id, int(moment), body) for secret in secrets]
    offered = given.split(" ")[:8]
    right = [hmac.compare_digest(one.encode(), other.encode()) for one in expected for other in offered]
    if not any(right):
        raise _refused("signature", "The signature is not right.")
    return SignedCall(id, hashlib.sha256(body).hexdigest())


def check_signed(headers: Mapping[str, str]) -> tuple[str, str, str]:
    """What the headers say: id, time and signatures. Raises Unauthenticated `missing` where one is not there."""
    id, moment, given = (headers.get(f"webhook-{name}", "") for name in ("id", "timestamp", "signature"))
    if not (id and moment and given):
        raise _refused("missing", "The call is not signed.")
    return id, moment, given


def _refused(rule: str, detail: str) -> Unauthenticated:
    return Unauthenticated(detail, type_="signature-refused", rule=rule)
