"""What forms offer, and what people type instead: by the names and numbers of their language."""

from __future__ import annotations

import zoneinfo
from typing import Any

import pycountry
import pytest
from hypothesis import given
from hypothesis import strategies as st
from starlette.datastructures import FormData

from chassis.messages import LANGUAGES
from services.hub import lists
from services.hub.language import Language

FRENCH, ENGLISH = Language("fr", "FR"), Language("en", "GB")
GROUPS: dict[str, Any] = {
    "countries": [
        {"name": "DE", "people": 9, "ambassadors": 2},
        {"name": "FR", "people": 120, "ambassadors": 14},
        {"name": "EG", "people": 1, "ambassadors": 0},
    ],
    "teams": [{"name": "R&D, Lyon", "people": 5, "ambassadors": 1}],
    "sites": [],
}


def offered(kind: lists.Kind, *chosen: str, groups: Any = GROUPS) -> list[tuple[str, str, int | None, bool]]:
    found = lists.options(FRENCH, kind, groups, chosen, "ambassadors")
    return [(one.value, one.name, one.count, one.chosen) for one in found]


def test_what_is_chosen_comes_first_and_the_others_by_name() -> None:
    assert offered("countries", "FR") == [
        ("FR", "France", 14, True),
        ("DE", "Allemagne", 2, False),
        ("EG", "Égypte", 0, False),
    ]


def test_a_team_that_nobody_is_in_is_offered_with_nobody_and_a_spelling_of_one_is_that_one() -> None:
    assert offered("teams", "Gone", "r&d, lyon") == [("Gone", "Gone", 0, True), ("R&D, Lyon", "R&D, Lyon", 1, True)]


def test_where_it_is_not_known_how_many_are_there_nobody_is_not_said() -> None:
    assert offered("teams", "Sales", groups=None) == [("Sales", "Sales", None, True)]


def test_what_was_ticked_is_taken_whole_and_once() -> None:
    form = FormData([("teams", "R&D, Lyon"), ("teams", " "), ("teams", "R&D, Lyon"), ("sites", "Lyon")])
    assert lists.chosen_of(form, "teams") == ["R&D, Lyon"]


def test_countries_are_those_of_iso_3166() -> None:
    assert {code for code, _ in lists.countries(FRENCH)} == {one.alpha_2 for one in pycountry.countries}


@pytest.mark.parametrize("code", LANGUAGES)
def test_every_country_and_language_is_found_by_its_name(code: str) -> None:
    language = Language(code)
    assert all(lists.country_code(language, name.upper()) == one for one, name in lists.countries(language))


@pytest.mark.parametrize(
    ("text", "code"),
    [("fr", "FR"), (" Allemagne ", "DE"), ("Germany", "DE"), ("Atlantide", "Atlantide"), ("", ""), ("*", "*")],
)
def test_a_country_is_written_by_its_code_or_its_name(text: str, code: str) -> None:
    assert lists.country_code(FRENCH, text) == code


def test_time_zones_have_names_that_tell_them_apart() -> None:
    zones = lists.time_zones(FRENCH)
    assert dict(zones)["Europe/Paris"] == "France (Paris)"
    assert dict(lists.time_zones(ENGLISH))["Asia/Kolkata"] == "India (Kolkata)"
    assert {zone for zone, _ in zones} <= zoneinfo.available_timezones()
    assert len({name for _, name in zones}) == len(zones) > 400


@pytest.mark.parametrize(
    ("text", "french", "english"),
    [
        ("1,5", 1.5, None),
        ("1.5", 1.5, 1.5),
        ("0,35", 0.35, None),
        ("1\u202f200,5", 1200.5, None),
        ("1 200", 1200, 1200),
        ("1,200", 1.2, 1200),
        ("1,200.5", 1200.5, 1200.5),
        ("1.200,5", 1200.5, 1200.5),
        ("1.2,5", None, None),
        (" 35 ", 35, 35),
        ("-3", -3, -3),
        ("", None, None),
        ("many", None, None),
        ("1e5", None, None),
        ("nan", None, None),
        ("1,2,3", None, None),
        ("9" * 400, None, None),
    ],
)
def test_a_number_is_read_as_its_language_writes_it(text: str, french: float | None, english: float | None) -> None:
    assert (FRENCH.read_number(text), ENGLISH.read_number(text)) == (french, english)


@given(st.integers(-(10**9), 10**9), st.sampled_from(["fr", "en"]), st.sampled_from(["", "FR", "GB", "BE", "CH", "CA"]))
def test_a_number_that_is_shown_is_read_back(number: int, code: str, country: str) -> None:
    language = Language(code, country)
    assert language.read_number(language.number(number)) == number
    assert language.read_number(language.entry(number / 8)) == number / 8
