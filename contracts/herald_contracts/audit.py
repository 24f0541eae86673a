"""`herald.audit.<service>`: what administrators, managers and editors did. Each service has its own, keyed by actor."""

from __future__ import annotations

from typing import Annotated, ClassVar

from pydantic import Field

from herald_contracts.base import Event, Id, Part, Time
from herald_contracts.words import AUDITED_SERVICES, AdministrativeAct, AuditedObject, AuditedService

MAX_VALUE = 1000
Value = Annotated[
    Annotated[str, Field(max_length=MAX_VALUE)] | None,
    Field(
        description="As text: what is no text is JSON. Of a list or mapping that is too long, the entries that differ; "
        "cut, with `…` at the end, where that is still too long"
    ),
]


class FieldChange(Part):
    """A field with its values before and after the act; `withheld` where they are left out, as those of persons are."""

    field: str = Field(min_length=1, max_length=200, description="Steps into a value are separated by dots")
    before: Value = None
    after: Value = None
    withheld: bool = False


class AdministrativeActRecorded(Event):
    """Somebody with a role or a scope did something that others rely on. Never changed, never withdrawn."""

    type: ClassVar[str] = "herald.AdministrativeActRecorded.v1"
    topic: ClassVar[str] = "herald.audit.{service}"
    source: ClassVar[str] = "/herald/{service}"
    key: ClassVar[str] = "actor_id"
    subject: ClassVar[str] = "object_id"
    emitters: ClassVar[tuple[str, ...]] = AUDITED_SERVICES

    service: AuditedService
    act: AdministrativeAct
    actor_id: Id = Field(description="A person's id, `client:<id>` of a machine, or `operator:<account>` at a shell")
    session: str | None = Field(
        default=None,
        pattern=r"^[0-9a-f]{64}$",
        description="SHA-256 (hex) of the sign-in's `sid`, else of the token's `jti`: tells acts of one session",
    )
    object_type: AuditedObject
    object_id: Id
    program_id: Id | None = Field(default=None, description="Where the act is about one programme")
    changes: list[FieldChange] = Field(default=[], max_length=200)
    occurred_at: Time
