"""Settings of mails."""

from __future__ import annotations

from pathlib import Path
from typing import Literal, Self

from pydantic import Field, SecretStr, field_validator, model_validator

from chassis.settings import Rate, Settings

_ADDRESS = r"^[A-Za-z0-9.!#$%&'*/=?^_`{|}~-]+@[A-Za-z0-9-]+(\.[A-Za-z0-9-]+)*$"


class MailSettings(Settings):
    """Variables are `HERALD_<FIELD>`."""

    smtp_host: str | None = Field(None, description="SMTP server that mails are handed to; without one, none are sent")
    smtp_port: int = Field(587, ge=1, le=65535)
    smtp_security: Literal["starttls", "implicit", "none"] = Field(
        "starttls", description="`starttls` requires it, `implicit` is TLS from the first byte (port 465)"
    )
    smtp_username: str | None = None
    smtp_password: SecretStr | None = None
    smtp_ca_file: Path | None = Field(None, description="Certificates to trust; the machine's where not set")
    smtp_connections: int = Field(4, ge=1, le=50, description="Mails under way at once")
    smtp_timeout: float = Field(60.0, gt=0, description="Seconds that handing over one mail may take")
    mail_rate: Rate = Field("20/second", description="Mails sent in a span of time, by the whole installation")
    mail_from: str | None = Field(
        None, pattern=_ADDRESS, description="Address that mails come from; required with HERALD_SMTP_HOST"
    )
    mail_bounces: str | None = Field(
        None,
        pattern=_ADDRESS,
        description="Address that bounces come back to, with `+<token>` before the @; HERALD_MAIL_FROM if not set",
    )
    mail_reply_to: str | None = Field(None, pattern=_ADDRESS, description="Address that readers answer to")

    @field_validator(
        "smtp_host", "smtp_username", "smtp_password", "mail_from", "mail_bounces", "mail_reply_to", mode="before"
    )
    @classmethod
    def _empty_is_none(cls, value: object) -> object:
        return value or None

    @model_validator(mode="after")
    def _from_somebody(self) -> Self:
        if self.smtp_host and not self.mail_from:
            raise ValueError("HERALD_SMTP_HOST needs HERALD_MAIL_FROM")
        return self

    @property
    def sends_mail(self) -> bool:
        return self.smtp_host is not None
