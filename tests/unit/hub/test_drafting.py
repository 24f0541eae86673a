"""A draft tells what happened, in each language, and leaves out what nobody knows."""

from __future__ import annotations

from dataclasses import replace
from datetime import date
from typing import Any

import pytest

from services.hub.drafting import DRAFTERS, Material, written_in
from services.hub.language import Language
from services.hub.paths import NoSuchPath
from services.hub.view import Missing
from services.program.domain.newsletters import BLOCK_KINDS

GONE: Any = Missing(NoSuchPath(""))
ITEM = {"id": "i1", "variants": [{"language": "en", "title": "Half the *water*", "summary": ""}]}
FOUND = Material(
    figures={"figures": {"shares": {"value": 142}, "clicks_counted": {"value": 0}}},
    objectives={"items": [{"title": "A thousand shares", "kpi": "shares", "value": 421, "share": 0.421}]},
    best={"items": [{"key": "i1", "clicks_counted": 812}, {"key": "gone", "clicks_counted": 3}]},
    items={"i1": ITEM},
    fresh={"items": [ITEM]},
    board={"items": [{"person_id": "ada", "rank": 1}, {"person_id": None}]},
    names={"ada": {"name": "Ada <b>"}},
    lessons={"items": [{"id": "l1", "titles": {"en": "First post"}}]},
    trend={"items": [{"title": "Pulse", "answers": 8, "closes_on": "2026-03-13"}]},
    done={
        code: {"items": [{"said": "No\n\n*time*", "answer": "Less", "published_at": "2026-03-02T09:00:00Z"}]}
        for code in ("en", "fr")
    },
    since=date(2026, 3, 1),
    until=date(2026, 3, 28),
    program_id="p1",
    public_url="https://herald.example",
)
MISSING = dict.fromkeys(("figures", "objectives", "best", "fresh", "board", "lessons", "trend"), GONE)
NOTHING = replace(FOUND, items={}, names={}, done={"en": GONE}, **MISSING)


@pytest.mark.parametrize("kind", DRAFTERS)
@pytest.mark.parametrize("code", ["en", "fr"])
def test_each_block_says_something_where_something_happened(kind: str, code: str) -> None:
    found = DRAFTERS[kind](FOUND, Language(code))
    assert found is not None
    assert found["title"]
    assert found["text"]
    assert kind in BLOCK_KINDS
    assert bool(found.get("link")) == bool(found.get("link_text"))
    assert DRAFTERS[kind](NOTHING, Language(code)) is None


@pytest.mark.parametrize(("code", "figure"), [("en", "3,120"), ("fr", "3\u202f120")])
def test_numbers_are_as_the_language_of_the_text_has_them(code: str, figure: str) -> None:
    many = replace(FOUND, figures={"figures": {"shares": {"value": 3120}}})
    found = DRAFTERS["results"](many, written_in(code, "Europe/Paris"))
    assert found is not None
    assert found["text"].startswith(f"- **{figure}** ")


def test_what_somebody_wrote_is_no_markup() -> None:
    english = Language("en")
    assert DRAFTERS["posts"](FOUND, english) == {
        "title": "What people read most",
        "text": "- Half the \\*water\\*: 812 visits",
    }
    thanks = DRAFTERS["thanks"](FOUND, english)
    assert thanks is not None
    assert thanks["text"].startswith("Ada \\<b\\>: thank you")


def test_what_was_done_stands_beside_what_was_said() -> None:
    found = DRAFTERS["done"](FOUND, Language("en"))
    assert found is not None
    assert found["text"] == "- **No \\*time\\*** Less"
    assert DRAFTERS["done"](replace(FOUND, since=date(2026, 3, 14)), Language("en")) is None


def test_a_survey_of_long_ago_is_no_news() -> None:
    assert DRAFTERS["answers"](replace(FOUND, since=date(2026, 3, 14)), Language("en")) is None
