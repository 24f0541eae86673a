"""One-time codes, and the devices that they let in."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated

from pydantic import ConfigDict, Field

from chassis.web.json_bodies import Body
from services.program.domain.access import living
from services.program.domain.people import Device, Person
from services.program.schemas.fields import AT, ID, View

MAX_TYPED = 40


class CodeView(View):
    """A one-time code, told once."""

    model_config = ConfigDict(json_schema_extra={"examples": [{"code": "7K3M-V0QX-2HRT", "ends_at": AT}]})

    code: str
    ends_at: datetime


class TypedCode(Body):
    """A code as it was typed: any case, with or without spaces and hyphens."""

    model_config = ConfigDict(json_schema_extra={"examples": [{"code": "7K3M-V0QX-2HRT"}]})

    code: Annotated[str, Field(max_length=MAX_TYPED)]


class DeviceView(View):
    """A device that a code let in."""

    model_config = ConfigDict(json_schema_extra={"examples": [{"since": AT, "ends_at": AT}]}, from_attributes=True)

    since: datetime
    ends_at: datetime

    @classmethod
    def of(cls, device: Device) -> DeviceView:
        return cls.model_validate(device)


class AccessView(View):
    """How somebody signs in whom a code may let in."""

    model_config = ConfigDict(
        json_schema_extra={
            "examples": [
                {"person_id": ID, "name": "Amina Belkacem", "may_have_code": True, "code_until": AT, "devices": []}
            ]
        }
    )

    person_id: str
    name: str
    may_have_code: bool = Field(description="False for those who have an e-mail address or sign in with the provider")
    code_until: datetime | None = Field(description="Until when the code holds that they were given; null for none")
    devices: list[DeviceView]

    @classmethod
    def of(cls, person: Person, now: datetime) -> AccessView:
        code = person.code if person.code and person.code.ends_at > now else None
        return cls(
            person_id=person.id,
            name=person.name,
            may_have_code=person.active and not person.accounts and person.email is None,
            code_until=code.ends_at if code else None,
            devices=[DeviceView.of(one) for one in living(person, now)],
        )
