"""What sharing needs to know beyond what every service does."""

from __future__ import annotations

import base64
import binascii
from pathlib import Path

from pydantic import Field, SecretStr, field_validator

from chassis.settings import Rate, Settings

KEY_BYTES = 32


class SharingSettings(Settings):
    """Variables are `HERALD_<FIELD>`."""

    visitor_key: SecretStr = Field(description="32 random bytes in base64url: keys the hashes of visitors")
    spool_dir: Path = Field(Path(".herald/spool"), description="Where clicks wait on disk while Kafka is away")
    spool_bytes: int = Field(256 * 1024 * 1024, gt=0, description="How much the spool may hold")
    spool_grace: float = Field(
        2.0,
        ge=0,
        description="Seconds beyond the grace that a process sends what is on disk, while Kafka takes it",
    )
    click_timeout: float = Field(1.0, gt=0, description="Seconds a visitor waits for Kafka before the click is spooled")
    rate_drafts: Rate = Field("5/second", description="Captions that one person has checked")
    rate_unknown_codes: Rate = Field("30/minute", description="Short links that are none, asked for by one address")
    max_waiting_clicks: int = Field(20_000, gt=0, description="Visitors waiting at once before others are told 503")
    links_traces: float = Field(20.0, ge=0, description="Clicks traced a second at most by each links process")

    @field_validator("visitor_key")
    @classmethod
    def _long_enough(cls, value: SecretStr) -> SecretStr:
        if len(_decoded(value)) < KEY_BYTES:
            raise ValueError(f"at least {KEY_BYTES} bytes in base64url are needed")
        return value

    @property
    def hash_key(self) -> bytes:
        return _decoded(self.visitor_key)[:64]


def _decoded(value: SecretStr) -> bytes:
    text = value.get_secret_value()
    try:
        return base64.b64decode(text + "=" * (-len(text) % 4), altchars=b"-_", validate=True)
    except (ValueError, binascii.Error):
        raise ValueError("not base64url") from None
