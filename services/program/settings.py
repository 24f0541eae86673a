"""Settings of this service, beside those that all share."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

from pydantic import Field, SecretStr, field_validator
from pydantic_settings import NoDecode

from chassis.settings import Rate
from chassis.web.signatures import secret_of
from services.program.mail.settings import MailSettings


class ProgramSettings(MailSettings):
    """Variables are `HERALD_<FIELD>`."""

    program_admins: Annotated[tuple[str, ...], NoDecode] = Field(
        (),
        description="E-mail addresses (verified by the issuer) or accounts (SHA-256 of `<issuer>|<subject>`), comma "
        "between, that are made administrators when they first sign in",
    )
    rate_uploads: Rate = Field("10/minute", description="Files that one person sends")
    small_group: int = Field(
        5,
        ge=5,
        le=1_000,
        description="How many people a figure needs: a lesson's who completed it, a survey's who answered, and a "
        "programme's ambassadors for anything in it to be anonymous",
    )
    program_templates: Path | None = Field(
        None, description="Directory of starter templates that a company adds to those of Herald, one TOML file each"
    )
    code_minutes: int = Field(60, ge=5, le=1_440, description="How long a one-time code can be redeemed")
    device_days: int = Field(90, ge=1, le=366, description="How long a device stays signed in that a code let in")
    rate_codes: Rate = Field("10/minute", description="One-time codes tried from one address")
    expert_act_wait_days: int = Field(
        60, ge=1, le=365, description="Days that a talk, article or podcast waits for a manager before it is forgotten"
    )
    expert_act_days: int = Field(
        730, ge=1, le=3_650, description="Days that a confirmed talk, article or podcast stands for an expert"
    )
    recruiting_secrets: SecretStr = Field(
        SecretStr(""),
        description="`whsec_` and base64 of 24 to 64 random bytes, comma between: what the recruiting system signs its "
        "calls with; two while one is replaced, none where there is no such system",
    )
    candidate_days: int = Field(
        180, ge=1, le=730, description="Days after which what the recruiting system calls a candidate is deleted here"
    )
    program_locale: str = Field("en", description="Language of people of whom no other is known")

    @field_validator("program_admins", mode="before")
    @classmethod
    def _split(cls, value: object) -> object:
        if isinstance(value, str):
            return tuple(part.strip().lower() for part in value.split(",") if part.strip())
        return value

    @field_validator("recruiting_secrets")
    @classmethod
    def _signs(cls, value: SecretStr) -> SecretStr:
        for one in _parts(value):
            secret_of(one)
        return value

    @property
    def recruiting_secret_texts(self) -> list[str]:
        return _parts(self.recruiting_secrets)


def _parts(value: SecretStr) -> list[str]:
    return [part.strip() for part in value.get_secret_value().split(",") if part.strip()]
