"""What all routes of this service share: the parts, who calls, and the types of single fields."""

from __future__ import annotations

from collections.abc import Callable
from functools import lru_cache
from typing import Annotated, Any
from zoneinfo import available_timezones

from fastapi import Depends, Query, Request
from pydantic import AfterValidator, BaseModel, ConfigDict, Field
from pydantic_core import PydanticCustomError

from chassis.principals import Principal
from chassis.web.http import Caller, requires
from chassis.web.problems import Forbidden
from services.program.context import Context
from services.program.domain import fields

ID = "019c46c7-6a80-7a6a-8d23-f082128b2f33"
PROGRAM_ID = "019c1347-d280-752e-b651-3270269e0d37"
AT = "2026-03-02T09:30:00.000Z"


def _parts(request: Request) -> Context:
    context: Context = request.app.state.context
    return context


async def _person(caller: Caller) -> Principal:
    if caller.id.startswith("client:"):
        raise Forbidden("This is for people, not for machines.", type_="person-needed")
    return caller


Use = Annotated[Context, Depends(_parts)]
Person = Annotated[Principal, Depends(_person)]
Manager = Annotated[Principal, requires("manager")]
Manages = Annotated[Principal, requires("manager", "admin")]
Admin = Annotated[Principal, requires("admin")]


class View(BaseModel):
    """What is answered."""

    model_config = ConfigDict(from_attributes=True)


def _checked(check: Callable[[str], str]) -> AfterValidator:
    """A rule of the domain at the edge, under its own name."""

    def validate(value: str) -> str:
        try:
            return check(value)
        except fields.FieldError as error:
            rule: Any = error.rule
            detail: Any = error.detail
            raise PydanticCustomError(rule, detail) from None

    return AfterValidator(validate)


def _country(value: str) -> str:
    return value if value == fields.UNKNOWN_COUNTRY else fields.country(value)


@lru_cache(maxsize=1)
def _zones() -> frozenset[str]:
    return frozenset(available_timezones())


def _zone(value: str) -> str:
    if value not in _zones():
        raise fields.FieldError("time-zone", "A name of the IANA time zone database is needed, such as Europe/Paris.")
    return value


def _prose(value: str) -> str:
    if not value.strip():
        raise fields.FieldError("required", "A text is needed.")
    return value


Line = Annotated[str, Field(min_length=1, max_length=fields.MAX_TEXT), _checked(fields.text)]
Country = Annotated[str, Field(min_length=2, max_length=2, examples=["FR"]), _checked(_country)]
Locale = Annotated[str, Field(min_length=2, max_length=35, examples=["fr"]), _checked(fields.locale)]
TimeZone = Annotated[str, Field(min_length=1, max_length=64, examples=["Europe/Paris"]), _checked(_zone)]
Prose = Annotated[str, Field(min_length=1, max_length=20_000), _checked(_prose)]
Texts = Annotated[
    dict[Locale, Prose],
    Field(
        min_length=1,
        max_length=20,
        description="A text for each language of the programme",
        examples=[{"fr": "Je participe de mon plein gré.", "en": "I take part of my own free will."}],
    ),
]
Language = Annotated[
    str | None, Query(max_length=35, description="The reader's; the nearest one that there is gets chosen")
]
