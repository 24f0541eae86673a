"""What the models of this service share: the base of answers, and types of fields."""

from __future__ import annotations

from collections.abc import Callable
from functools import lru_cache
from typing import Annotated
from zoneinfo import available_timezones

from pydantic import AfterValidator, BaseModel, ConfigDict, Field

from chassis.rules import broken
from chassis.text import Markdown
from services.program.domain import fields, quiet_times
from services.program.domain.people import Segment

ID = "019c46c7-6a80-7a6a-8d23-f082128b2f33"


PROGRAM_ID = "019c1347-d280-752e-b651-3270269e0d37"


AT = "2026-03-02T09:30:00.000Z"


class View(BaseModel):
    """An answer."""

    model_config = ConfigDict(from_attributes=True)


def places_of(segment: Segment) -> dict[str, list[str]]:
    """What a segment names, as answers have it."""
    return {"countries": list(segment.countries), "teams": list(segment.teams), "sites": list(segment.sites)}


def _checked(check: Callable[[str], str]) -> AfterValidator:
    """A field type that applies a rule of the domain and reports it under its name."""

    def validate(value: str) -> str:
        try:
            return check(value)
        except fields.FieldError as error:
            raise broken(error.rule, error.detail, **error.params) from None

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


Line = Annotated[str, Field(min_length=1, max_length=fields.MAX_TEXT), _checked(fields.text)]


Country = Annotated[str, Field(min_length=2, max_length=2, examples=["FR"]), _checked(_country)]


Locale = Annotated[str, Field(min_length=2, max_length=35, examples=["fr"]), _checked(fields.locale)]


TimeZone = Annotated[str, Field(min_length=1, max_length=64, examples=["Europe/Paris"]), _checked(_zone)]


Text = Annotated[str, Markdown(20_000)]


def _own_zone(value: str) -> str:
    return _zone(value) if value else value


def _calendar(value: str) -> str:
    if value and not quiet_times.is_known(value):
        raise fields.FieldError(
            "calendar", "A country whose holidays are known is needed, or a part of one: FR, FR-57."
        )
    return value


OwnTimeZone = Annotated[str, Field(max_length=64, examples=["Europe/Paris"]), _checked(_own_zone)]
"""An IANA name; empty for that of one's country."""
Calendar = Annotated[str, Field(max_length=12, examples=["FR-57"]), _checked(_calendar)]
"""ISO 3166-1 or -2; empty for that of one's country."""


Texts = Annotated[
    dict[Locale, Text],
    Field(
        min_length=1,
        max_length=20,
        description="A text for each language of the programme",
        examples=[{"fr": "Je participe de mon plein gré.", "en": "I take part of my own free will."}],
    ),
]
