"""The hub's settings."""

from __future__ import annotations

from cryptography.fernet import Fernet
from pydantic import Field, SecretStr, field_validator

from chassis.settings import Rate, Settings


class HubSettings(Settings):
    """Where the APIs are, and how the hub signs people in."""

    program_url: str
    content_url: str
    sharing_url: str
    gamification_url: str
    metrics_url: str

    hub_client_id: str = "herald-hub"
    hub_client_secret: SecretStr = Field(description="Of the hub as a client of the issuer")
    hub_scope: str = Field(
        "openid profile email offline_access", description="What the hub asks the issuer for when people sign in"
    )
    session_key: SecretStr = Field(
        description="Fernet keys (32 bytes, URL-safe base64), comma-separated: the first encrypts, all decrypt"
    )
    session_hours: int = Field(12, gt=0, description="After so long without a request a person signs in again")
    rate_sign_ins: Rate = Field("20/minute", description="Sign-ins that one address begins")
    api_timeout: float = Field(8.0, gt=0, description="Seconds that any call of an API may take")

    @field_validator("program_url", "content_url", "sharing_url", "gamification_url", "metrics_url")
    @classmethod
    def _address(cls, value: str) -> str:
        return value.rstrip("/")

    @field_validator("session_key")
    @classmethod
    def _fernet(cls, value: SecretStr) -> SecretStr:
        for key in value.get_secret_value().split(","):
            Fernet(key.strip())
        return value

    @property
    def session_keys(self) -> list[str]:
        return [key.strip() for key in self.session_key.get_secret_value().split(",")]

    @property
    def secure(self) -> bool:
        """Whether people come over TLS."""
        return self.public_url.startswith("https://")

    @property
    def api_urls(self) -> dict[str, str]:
        names = ("program", "content", "sharing", "gamification", "metrics")
        return {name: getattr(self, f"{name}_url") for name in names}
