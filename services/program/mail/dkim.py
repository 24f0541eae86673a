"""DKIM signatures of what Herald sends (RFC 6376): rsa-sha256, headers and body relaxed.

Each name of SIGNED is listed once more than the mail has it, so that no further header of that name can be added.
RSA alone: not every receiver knows Ed25519. The keys are `cryptography`'s; dkimpy, the library for this, multiplies in
Python and needs ten times as long for a mail.
"""

from __future__ import annotations

import base64
import hashlib
import re
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from cryptography.hazmat.primitives.asymmetric import padding
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import load_pem_private_key

MIN_BITS: Final = 2048
SIGNED: Final = (
    "From", "To", "Reply-To", "Subject", "Date", "Message-ID", "List-Id", "List-Archive", "List-Unsubscribe",
    "List-Unsubscribe-Post", "MIME-Version", "Content-Type", "Content-Language",
)  # fmt: skip
"""RFC 8058 requires `List-Unsubscribe` and `List-Unsubscribe-Post` among them."""
_LINE: Final = 72


@dataclass(frozen=True, slots=True)
class Signer:
    """Signs for a domain with the key whose public half is at `<selector>._domainkey.<domain>`."""

    domain: str
    selector: str
    key: RSAPrivateKey

    def sign(self, content: bytes, now: datetime) -> bytes:
        """The mail, with lines that end in CRLF, below its signature."""
        head, _, body = content.partition(b"\r\n\r\n")
        fields = _fields(head)
        names = [name for name in SIGNED for _ in range(len(fields.get(name.lower(), ())) + 1)]
        tags = (
            f"v=1; a=rsa-sha256; c=relaxed/relaxed; d={self.domain}; s={self.selector}; t={int(now.timestamp())};",
            f" h={_folded(':'.join(names), ':')};",
            f" bh={_base64(hashlib.sha256(relaxed_body(body)).digest())};",
            " b=",
        )
        unsigned = "DKIM-Signature: " + "\r\n".join(tags)
        canonical = [field for name in SIGNED for field in reversed(fields.get(name.lower(), []))]
        signed = b"".join(field + b"\r\n" for field in canonical) + relaxed_header(unsigned.encode())
        signature = _base64(self.key.sign(signed, padding.PKCS1v15(), SHA256()))
        return f"{unsigned}{_folded(signature)}\r\n".encode() + content


def load_key(pem: str) -> RSAPrivateKey:
    """A private key as PEM; line breaks may be written as `\\n`. Raises ValueError."""
    try:
        key = load_pem_private_key(pem.replace("\\n", "\n").encode(), password=None)
    except (ValueError, TypeError):
        raise ValueError("it is no private key without a password, as PEM") from None
    if not isinstance(key, RSAPrivateKey) or key.key_size < MIN_BITS:
        raise ValueError(f"it is no RSA key of {MIN_BITS:,} bits or more")
    return key


def relaxed_header(field: bytes) -> bytes:
    """A header without its line end (RFC 6376, 3.4.2)."""
    name, _, value = field.partition(b":")
    return name.strip().lower() + b":" + re.sub(rb"[ \t]+", b" ", value.replace(b"\r\n", b"")).strip()


def relaxed_body(body: bytes) -> bytes:
    """RFC 6376, 3.4.4."""
    lines = [re.sub(rb"[ \t]+", b" ", line).rstrip(b" ") for line in body.split(b"\r\n")]
    while lines and not lines[-1]:
        lines.pop()
    return b"".join(line + b"\r\n" for line in lines)


def _fields(head: bytes) -> dict[str, list[bytes]]:
    """Headers by their names in lower case, relaxed, in the order in which they stand."""
    found: dict[str, list[bytes]] = {}
    for field in re.split(rb"\r\n(?![ \t])", head):
        name = field.partition(b":")[0].strip().lower().decode("ascii", "replace")
        found.setdefault(name, []).append(relaxed_header(field))
    return found


def _base64(value: bytes) -> str:
    return base64.b64encode(value).decode()


def _folded(text: str, after: str = "") -> str:
    """A long value on several lines, broken after a sign where one is named."""
    lines = [""]
    for part in re.findall(rf"[^{after}]*{after}|[^{after}]+$", text) if after else re.findall(f".{{1,{_LINE}}}", text):
        if lines[-1] and len(lines[-1]) + len(part) > _LINE:
            lines.append("")
        lines[-1] += part
    return "\r\n ".join(lines)
