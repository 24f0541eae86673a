"""The audit trail, as JSON."""

from __future__ import annotations

from typing import Annotated

from pydantic import AwareDatetime, BaseModel, ConfigDict, Field

from chassis.web.http import Total, example
from herald_contracts.words import ADMINISTRATIVE_ACTS, AUDITED_OBJECTS, AUDITED_SERVICES

ACT = {
    "id": "019da154-c578-7eae-b217-9b37806c10c1",
    "service": "program",
    "act": "update_person",
    "actor_id": "019c1347-d280-7c1a-8f4e-3270269e0d41",
    "session": "3f1c8a0d5be2794e6a1b0c4d8f2e7a935d6c1b0a9f8e7d6c5b4a39281706f5e4",
    "object_type": "person",
    "object_id": "019c1347-d280-752e-b651-3270269e0d38",
    "program_id": None,
    "changes": [
        {"field": "grants", "before": "[]", "after": '["editor"]', "withheld": False},
        {"field": "team", "before": None, "after": None, "withheld": True},
    ],
    "occurred_at": "2026-04-18T16:03:00Z",
}


class ChangeView(BaseModel):
    """A field with its values before and after."""

    model_config = ConfigDict(from_attributes=True, frozen=True)

    field: str
    before: str | None
    after: str | None
    withheld: bool = Field(description="Its values are left out: they are personal")


class ActView(BaseModel):
    """An administrative act."""

    model_config = ConfigDict(from_attributes=True, **example(**ACT))

    id: str
    service: str = Field(description=f"Known: {', '.join(AUDITED_SERVICES)}")
    act: str = Field(description=f"Known: {', '.join(ADMINISTRATIVE_ACTS)}")
    actor_id: str = Field(description="A person's id, `client:<id>` of a machine, or `operator:<account>` at a shell")
    session: str | None = Field(description="A hash: the same for the acts of one sign-in")
    object_type: str = Field(description=f"Known: {', '.join(AUDITED_OBJECTS)}")
    object_id: str
    program_id: str | None
    changes: Annotated[list[ChangeView], Field(description="What it changed, or says of itself")]
    occurred_at: AwareDatetime


class ActsView(BaseModel):
    """Acts, newest first."""

    model_config = example(items=[ACT], next=None, total=1)

    items: list[ActView]
    next: str | None
    total: Total
