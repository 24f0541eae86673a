"""The tip of a week on the start page: what one's own posts say, or else a lesson; the same all week, one at a time."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from datetime import date
from typing import Any

from markupsafe import Markup

from chassis.days import week_of
from services.hub.clients import Json
from services.hub.language import Language, known_zone
from services.hub.paths import NoSuchPath, page, v1
from services.hub.view import Missing, View

ABOUT = ("pictures", "own_words", "network")
"""What figures of one's own can say; of something newer nothing is said."""


@dataclass(frozen=True, slots=True)
class Tip:
    """A sentence, from what it was found, and a lesson that goes with it."""

    text: Markup
    detail: Markup
    path: str = ""
    language: str | None = None


def asked(view: View) -> dict[str, Any]:
    """What the tip is made of; nothing for somebody who wants none."""
    program = view.program
    if program is None or not program.joined or program.archived or not view.me.weekly_tip:
        return {}
    learning = v1("programs", program.id, "learning")
    return {
        "own": view.apis.get("metrics", v1("me", "tip"), program_id=program.id),
        "lessons": view.apis.get("program", learning, language=view.language.code),
    }


def tip_of(view: View, found: Json) -> Tip | None:
    """The tip of this week; None where there is none, or nobody knows."""
    own, lessons = found.get("own"), found.get("lessons")
    if isinstance(own, dict) and own.get("tip") and (told := from_figures(view.language, own["tip"])):
        return told
    if not isinstance(lessons, dict) or own is None or isinstance(own, Missing):
        return None  # without their figures, what stood here yesterday would be another tip
    steps = [step for path in lessons.get("paths", ()) for step in path["lessons"]] + list(lessons.get("others", ()))
    week = week_of(view.now.astimezone(known_zone(view.language.zone)).date())
    step = general(steps, week)
    with suppress(NoSuchPath):
        return from_lesson(view.language, step, str(lessons["program_id"])) if step else None
    return None


def from_figures(language: Language, tip: Json) -> Tip | None:
    """What one's own posts say, with how many posts say it."""
    about, better, other = str(tip["about"]), tip["better"], tip["other"]
    if about not in ABOUT:
        return None
    network = language.on(str(tip.get("network") or ""))
    numbers = {
        "better": language.number(better["clicks"], 1),
        "other": language.number(other["clicks"], 1),
        "posts": better["posts"],
        "others": other["posts"],
    }
    return Tip(language.text(f"tip.{about}", network=network), language.text(f"tip.{about}.from", **numbers))


def general(steps: Sequence[Json], week: date) -> Json | None:
    """A lesson of the week: one of those that were not completed when it began, or else of all."""
    new = [one for one in steps if not one["completed_at"] or one["completed_at"][:10] >= week.isoformat()]
    offered = new or steps
    return offered[week.toordinal() // 7 % len(offered)] if offered else None


def from_lesson(language: Language, step: Json, program_id: str) -> Tip:
    minutes = max(1, -(-int(step["seconds"]) // 60))
    path = page("programs", program_id, "lessons", step["lesson_id"])
    return Tip(Markup.escape(step["title"]), language.text("tip.lesson", count=minutes), path, step["language"])
