"""Access tokens for Kafka's SASL/OAUTHBEARER, by client credentials (RFC 6749, 4.4)."""

from __future__ import annotations

import asyncio
import time
from pathlib import Path

import httpx
from aiokafka.abc import AbstractTokenProvider
from aiokafka.errors import KafkaConnectionError

from chassis.authorities import https_context

SECONDS = 10.0
EARLY = 0.8
"""The part of a token's life after which the next one is asked for."""


class ClientCredentials(AbstractTokenProvider):  # type: ignore[misc]
    """One token for all connections of a client, renewed before it ends.

    `transport`: for tests, what carries the request.
    """

    def __init__(
        self,
        url: str,
        client_id: str,
        client_secret: str,
        scope: str | None = None,
        *,
        authorities: Path | None = None,
        transport: httpx.AsyncBaseTransport | None = None,
    ) -> None:
        self._url = url
        self._auth = httpx.BasicAuth(client_id, client_secret)
        self._form = {"grant_type": "client_credentials", **({"scope": scope} if scope else {})}
        self._authorities = authorities
        self._transport = transport
        self._lock = asyncio.Lock()
        self._token, self._renew_at = "", 0.0

    async def token(self) -> str:
        """Raises KafkaConnectionError, which names what the endpoint said and no secret."""
        async with self._lock:
            if time.monotonic() >= self._renew_at:
                began = time.monotonic()
                self._token, seconds = await self._ask()
                self._renew_at = began + seconds * EARLY
            return self._token

    async def _ask(self) -> tuple[str, float]:
        try:
            trusted = https_context(self._authorities)
            async with httpx.AsyncClient(
                timeout=SECONDS, trust_env=False, verify=trusted, transport=self._transport
            ) as client:
                answer = await client.post(self._url, data=self._form, auth=self._auth)
            if answer.status_code != 200:
                raise KafkaConnectionError(f"{self._url} answered {answer.status_code} instead of a token for Kafka")
            document = answer.json()
            token, seconds = document["access_token"], float(document.get("expires_in", 60))
        except httpx.HTTPError as error:
            raise KafkaConnectionError(f"{self._url} gives no token for Kafka: {type(error).__name__}") from None
        except (ValueError, KeyError, TypeError):
            raise KafkaConnectionError(f"{self._url} answered without an access token") from None
        return str(token), seconds
