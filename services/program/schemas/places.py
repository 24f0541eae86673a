"""Where people are in time, as it is answered."""

from __future__ import annotations

from datetime import date
from typing import Any

from pydantic import ConfigDict, Field

from services.program.queries.places import Off, Place
from services.program.schemas.fields import View

_FRENCH: Any = {"calendar": "FR", "name": "Fête nationale", "people": 41}


class PartView(View):
    """A part of a country with holidays of its own."""

    calendar: str = Field(description="ISO 3166-2")
    name: str


class HolidayView(View):
    """A holiday."""

    day: date
    name: str


class PlaceView(View):
    """The caller's clock and calendar."""

    model_config = ConfigDict(
        json_schema_extra={
            "examples": [
                {
                    "time_zone": "Europe/Paris",
                    "time_zone_chosen": False,
                    "country_time_zone": "Europe/Paris",
                    "holidays": "FR",
                    "holidays_chosen": False,
                    "country": "FR",
                    "known": True,
                    "parts": [{"calendar": "FR-57", "name": "Moselle"}],
                    "next": [{"day": "2026-12-25", "name": "Noël"}],
                }
            ]
        }
    )

    time_zone: str = Field(description="IANA name")
    time_zone_chosen: bool = Field(description="Whether the caller chose it; else it is that of their country")
    country_time_zone: str
    holidays: str = Field(description="Whose holidays they have: ISO 3166-1 or -2")
    holidays_chosen: bool
    country: str
    known: bool = Field(description="Whether holidays are known of that country or part of one")
    parts: list[PartView] = Field(description="Of that country")
    next: list[HolidayView] = Field(description="The next ones, named in the language asked for where it is known")

    @classmethod
    def of(cls, found: Place) -> PlaceView:
        return cls(
            time_zone=found.clock.zone,
            time_zone_chosen=found.person.time_zone is not None,
            country_time_zone=found.by_country.zone,
            holidays=found.clock.calendar,
            holidays_chosen=found.person.holidays is not None,
            country=found.person.country,
            known=found.known,
            parts=[PartView(calendar=calendar, name=name) for calendar, name in found.parts],
            next=[HolidayView.model_validate(one) for one in found.next],
        )


class OffView(View):
    """Readers who have a holiday."""

    calendar: str = Field(description="Whose holiday it is: ISO 3166-1 or -2")
    name: str
    people: int


class ReadersOffView(View):
    """Readers who have a holiday on a day, the most first; their mail waits."""

    model_config = ConfigDict(json_schema_extra={"examples": [{"items": [_FRENCH]}]})

    items: list[OffView]

    @classmethod
    def of(cls, found: list[Off]) -> ReadersOffView:
        return cls(items=[OffView.model_validate(one) for one in found])
