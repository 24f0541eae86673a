"""Secrets of a local installation: made at its first start, readable by its user alone."""

import base64
import json
import os
import secrets
from pathlib import Path

from joserfc.jwk import RSAKey

from herald.local.errors import LocalError
from herald.local.home import Home

RECRUITING = "HERALD_RECRUITING_SECRETS"
"""What the recruiting system signs its calls with."""
NAMES = ("HERALD_VISITOR_KEY", "HERALD_SESSION_KEY", "HERALD_HUB_CLIENT_SECRET", RECRUITING)
KEY_BITS = 2048


def environment(home: Home) -> dict[str, str]:
    """The secrets as settings for Herald's processes, each 32 random bytes in URL-safe base64; that of the recruiting
    system as Standard Webhooks has it.

    HERALD_ISSUER_KEY_FILE names an RSA private key in PEM for the development issuer. Raises LocalError.
    """
    known = _read(home.secrets)
    missing = [name for name in NAMES if name not in known]
    if missing:
        known |= {name: _new_secret(name) for name in missing}
        _write_private(home.secrets, json.dumps(known, indent=1).encode())
    if not home.issuer_key.exists():
        _write_private(home.issuer_key, RSAKey.generate_key(KEY_BITS).as_pem(private=True))
    return {**known, "HERALD_ISSUER_KEY_FILE": str(home.issuer_key)}


def _new_secret(name: str) -> str:
    if name == RECRUITING:
        return f"whsec_{base64.b64encode(secrets.token_bytes(32)).decode()}"
    return base64.urlsafe_b64encode(secrets.token_bytes(32)).decode()


def _read(path: Path) -> dict[str, str]:
    try:
        found = json.loads(path.read_text())
    except FileNotFoundError:
        return {}
    except (OSError, ValueError) as error:
        raise LocalError(f"{path} cannot be read ({error}): repair it, or remove it to get new secrets.") from None
    if not isinstance(found, dict) or not all(isinstance(value, str) for value in found.values()):
        raise LocalError(f"{path} is not a JSON object of texts: repair it, or remove it to get new secrets.")
    return found


def _write_private(path: Path, content: bytes) -> None:
    part = path.with_suffix(".part")
    part.unlink(missing_ok=True)
    handle = os.open(part, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(handle, "wb") as file:
        file.write(content)
    part.replace(path)
