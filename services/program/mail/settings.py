"""Settings of mails."""

from __future__ import annotations

from pathlib import Path
from typing import Literal, Self

from pydantic import Field, SecretStr, field_validator, model_validator

from chassis.settings import Rate, Settings
from services.program.mail.dkim import Signer, load_key

_ADDRESS = r"^[A-Za-z0-9.!#$%&'*/=?^_`{|}~-]+@[A-Za-z0-9-]+(\.[A-Za-z0-9-]+)*$"
_DOMAIN = r"^[A-Za-z0-9-]+(\.[A-Za-z0-9-]+)*$"


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
    mail_rest: bool = Field(
        True, description="Whether mails wait while it is night (20:00 to 8:00) or a holiday for their reader"
    )
    mail_from: str | None = Field(
        None, pattern=_ADDRESS, description="Address that mails come from; required with HERALD_SMTP_HOST"
    )
    mail_bounces: str | None = Field(
        None,
        pattern=_ADDRESS,
        description="Address that bounces come back to, with `+<token>` before the @; HERALD_MAIL_FROM if not set",
    )
    mail_reply_to: str | None = Field(None, pattern=_ADDRESS, description="Address that readers answer to")
    dkim_selector: str | None = Field(
        None,
        pattern=_DOMAIN,
        description="Selector of the key that Herald signs mails with; without one, it signs none",
    )
    dkim_domain: str | None = Field(
        None, pattern=_DOMAIN, description="Domain that signs: that of HERALD_MAIL_FROM, or one above it"
    )
    dkim_key: SecretStr | None = Field(None, description="Private RSA key, as PEM; required with HERALD_DKIM_SELECTOR")
    imap_host: str | None = Field(
        None, description="IMAP server of the mailbox that bounces come back to; without one, none is read"
    )
    imap_port: int = Field(993, ge=1, le=65535)
    imap_security: Literal["implicit", "starttls"] = Field(
        "implicit", description="`implicit` is TLS from the first byte, `starttls` requires it (port 143)"
    )
    imap_username: str | None = None
    imap_password: SecretStr | None = None
    imap_ca_file: Path | None = Field(None, description="Certificates to trust; the machine's where not set")
    imap_folder: str = Field("INBOX", pattern=r"^[ -~]{1,200}$", description="Folder that is read")

    @field_validator(
        "smtp_host",
        "smtp_username",
        "smtp_password",
        "mail_from",
        "mail_bounces",
        "mail_reply_to",
        "dkim_selector",
        "dkim_domain",
        "dkim_key",
        "imap_host",
        "imap_username",
        "imap_password",
        mode="before",
    )
    @classmethod
    def _empty_is_none(cls, value: object) -> object:
        return value or None

    @model_validator(mode="after")
    def _from_somebody(self) -> Self:
        if self.smtp_host and not self.mail_from:
            raise ValueError("HERALD_SMTP_HOST needs HERALD_MAIL_FROM")
        if self.imap_host and not (self.imap_username and self.imap_password):
            raise ValueError("HERALD_IMAP_HOST needs HERALD_IMAP_USERNAME and HERALD_IMAP_PASSWORD")
        return self

    @model_validator(mode="after")
    def _can_sign(self) -> Self:
        if (self.dkim_selector is None) != (self.dkim_key is None):
            raise ValueError("HERALD_DKIM_SELECTOR and HERALD_DKIM_KEY go together")
        try:
            signer = self.signer
        except ValueError as error:
            raise ValueError(f"HERALD_DKIM_KEY: {error}") from None
        sends_as = (self.mail_from or "").partition("@")[2].lower()
        if signer and sends_as and not f".{sends_as}".endswith(f".{signer.domain}"):
            raise ValueError("HERALD_DKIM_DOMAIN is neither that of HERALD_MAIL_FROM nor above it: DMARC would fail")
        return self

    @property
    def sends_mail(self) -> bool:
        return self.smtp_host is not None

    @property
    def signer(self) -> Signer | None:
        """What signs mails; None where Herald signs none. Raises ValueError for a key that is none."""
        if self.dkim_selector is None or self.dkim_key is None:
            return None
        domain = self.dkim_domain or (self.mail_from or "").partition("@")[2]
        return Signer(domain.lower(), self.dkim_selector, load_key(self.dkim_key.get_secret_value()))
