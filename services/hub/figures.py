"""Figures as people read them: a name, a text, what it is made of, and how it is defined."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from services.hub.clients import Json
from services.hub.language import Language
from services.hub.view import Missing

SHOWN = (
    "participation_rate",
    "active_ambassadors",
    "shares",
    "clicks_counted",
    "engagement_rate",
    "earned_media_value",
    "leader_participation",
    "clicks_raw",
    "acts",
    "lessons_completed",
    "first_day_path",
)
RATES = frozenset(("participation_rate", "leader_participation", "engagement_rate", "first_day_path"))


@dataclass(frozen=True, slots=True)
class Tile:
    """A figure on the dashboard; `change` is against the period before, as a share, None where there was nothing."""

    key: str
    name: str
    text: str
    detail: str
    definition: str
    formula: str
    change: float | None
    number: float | None = None


def tiles(language: Language, found: Json, definitions: Any) -> list[Tile]:
    """The figures in the order in which a manager looks at them."""
    figures: Json = found["figures"]
    before: Json = found.get("previous") or {}
    before = before.get("figures", before)
    known = {} if isinstance(definitions, Missing) else definitions_by_key(definitions)
    return [
        Tile(
            key=key,
            name=str(language.text(f"figure.{key}")),
            text=text_of(language, key, figures[key]),
            detail=detail_of(language, key, figures),
            definition=str(known.get(key, {}).get("definition", "")),
            formula=str(known.get(key, {}).get("formula", "")),
            change=change_of(number_of(figures[key]), number_of(before.get(key))),
            number=number_of(figures[key]),
        )
        for key in SHOWN
        if key in figures
    ]


def definitions_by_key(definitions: Any) -> dict[str, Json]:
    items = definitions.get("items", []) if isinstance(definitions, dict) else []
    return {one["figure"]: one for one in items}


def number_of(figure: Any) -> float | None:
    """The number in a figure: itself, or its value or amount."""
    if isinstance(figure, dict):
        figure = figure.get("value", figure.get("amount"))
    return None if figure is None else float(figure)


def text_of(language: Language, key: str, figure: Any) -> str:
    number = number_of(figure)
    if number is None:
        return "–"
    if isinstance(figure, dict) and "currency" in figure:
        return language.money(number, figure["currency"])
    if key in RATES:
        return language.percent(number)
    if isinstance(figure, float) or (isinstance(figure, dict) and not number.is_integer()):
        return language.number(number, 1)
    return language.compact(number)


def detail_of(language: Language, key: str, figures: Json) -> str:
    """What a figure is made of."""
    figure = figures[key]
    if isinstance(figure, dict) and figure.get("denominator"):
        return str(language.text("figure.of", part=figure["numerator"], whole=figure["denominator"]))
    said = []
    if key == "acts" and isinstance(figure, dict):
        kinds = figure.get("by_kind") or {}
        said += [f"{language.word('act_kind', kind)} {language.number(kinds[kind])}" for kind in kinds]
    if key == "clicks_counted" and number_of(figures.get("clicks_raw")) is not None:
        said.append(str(language.text("figure.of_raw", count=int(number_of(figures["clicks_raw"]) or 0))))
    if isinstance(figure, dict) and figure.get("imported"):
        said.append(str(language.text("figure.imported", count=figure["imported"])))
    return ", ".join(said)


def change_of(now: float | None, before: float | None) -> float | None:
    if now is None or not before:
        return None
    return (now - before) / before
