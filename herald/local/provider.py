"""A company's own OpenID Connect provider, instead of the development issuer."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import httpx

from chassis.web.tokens import ALGORITHMS, discovery_url
from herald.local.errors import LocalError

SECRET = "HERALD_HUB_CLIENT_SECRET"  # noqa: S105 - the variable's name


@dataclass(frozen=True, slots=True)
class Provider:
    """The issuer's address, the secret that it gave the hub, and who administers Herald at first."""

    issuer: str
    admins: str
    client_secret: str = field(repr=False)

    @property
    def environment(self) -> dict[str, str]:
        """What replaces the settings of a stack with the development issuer, which is then not there."""
        return {SECRET: self.client_secret, "HERALD_PROGRAM_ADMINS": self.admins, "HERALD_ISSUER_KEY_FILE": ""}


def provider_of(issuer: str, admins: str, environment: Mapping[str, str]) -> Provider:
    """The provider at an address, once it answers as one. Raises LocalError."""
    if not admins.strip():
        raise LocalError("Name the first administrator with --admins: an e-mail address that the provider verified.")
    secret = environment.get(SECRET, "")
    if not secret:
        raise LocalError(f"Set {SECRET} to the secret of the client that you registered: see 'herald oidc'.")
    wrong = shortcomings(discover(issuer))
    if wrong:
        raise LocalError(f"The provider at {issuer} does not do: {', '.join(wrong)}.")
    return Provider(issuer, admins, secret)


def discover(issuer: str) -> dict[str, Any]:
    """What the provider says of itself. Raises LocalError."""
    url = discovery_url(issuer)
    try:
        answer = httpx.get(url, timeout=10, trust_env=False)
        found = answer.raise_for_status().json()
    except httpx.HTTPStatusError as error:
        raise LocalError(f"{url} answers {error.response.status_code}: is this the issuer's address?") from None
    except (httpx.HTTPError, httpx.InvalidURL, ValueError) as error:
        raise LocalError(f"No provider answers at {url} ({type(error).__name__}).") from None
    said = found.get("issuer") if isinstance(found, dict) else None
    if said != issuer:
        raise LocalError(f"The provider at {issuer} calls itself {said}: use that address, letter by letter.")
    return dict(found)


def shortcomings(metadata: Mapping[str, Any]) -> list[str]:
    """What Herald needs and the provider says that it does not do; what it does not speak of may well be there."""

    def lacks(name: str, *wanted: str) -> bool:
        said = metadata.get(name)
        return isinstance(said, list) and not set(said) & set(wanted)

    found = [name for name in ("authorization_endpoint", "token_endpoint", "jwks_uri") if not metadata.get(name)]
    if lacks("response_types_supported", "code"):
        found.append("the authorization code flow")
    if lacks("code_challenge_methods_supported", "S256"):
        found.append("PKCE with S256")
    if lacks("id_token_signing_alg_values_supported", *ALGORITHMS):
        found.append(f"a signature of {', '.join(ALGORITHMS)}")
    if lacks("token_endpoint_auth_methods_supported", "client_secret_basic"):
        found.append("client authentication by HTTP Basic")
    return found
