"""`herald.acts`: what ambassadors do beside sharing. Owned by program."""

from __future__ import annotations

from typing import ClassVar

from pydantic import Field

from herald_contracts.base import Event, Id, Time
from herald_contracts.words import Act, ActWithdrawal


class _ActEvent(Event):
    topic: ClassVar[str] = "herald.acts"
    source: ClassVar[str] = "/herald/program"
    key: ClassVar[str] = "ambassador_id"
    subject: ClassVar[str] = "act_id"

    act_id: Id
    ambassador_id: Id
    program_id: Id
    act: Act
    object_id: Id = Field(description="What it is about: the declaration, the referral or the event")
    occurred_at: Time


class ActRecorded(_ActEvent):
    """An ambassador did something that counts, and that is established: a manager confirmed it, the recruiting system
    said it, a code was scanned. Dated by when it was established."""

    type: ClassVar[str] = "herald.ActRecorded.v1"


class ActWithdrawn(_ActEvent):
    """An act that was recorded does not count after all."""

    type: ClassVar[str] = "herald.ActWithdrawn.v1"
    reason: ActWithdrawal
