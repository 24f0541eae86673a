"""What to do today, what a month suggests, and the calendar as a file."""

from __future__ import annotations

from datetime import UTC, date, datetime
from typing import Any

import pytest
from icalendar import Calendar

from services.hub.calendar_file import calendar_file
from services.hub.clients import ServiceUnavailable
from services.hub.figures import Tile
from services.hub.language import Language
from services.hub.pages.setup import Step
from services.hub.pages.team import laid_out, shown_month
from services.hub.today import month, today
from services.hub.view import Missing

DAY = date(2026, 3, 10)
NONE: dict[str, Any] = {"tasks": None, "objectives": None, "missing": ()}
TODAY: dict[str, Any] = {**NONE, "waves": None, "waiting": {}}
STEPS = [Step("leaders", "leaders", "/l", 0, 1, False), Step("content", "content_ask", "/c", 0, 5, False)]


def task(day: str, title: str = "Write") -> dict[str, str]:
    return {"id": "t1", "due_on": day, "title": title}


def tile(key: str, change: float | None, number: float = 1.0) -> Tile:
    return Tile(key, key, "1", "", "", "", change, number)


def test_what_presses_most_comes_first_and_three_lines_are_enough() -> None:
    tasks = {"items": [task("2026-03-08", "Old"), task("2026-03-10", "Now"), task("2026-03-12", "Later")]}
    aims = {"items": [{"objective_id": "o1", "title": "Half", "ended": True, "state": "open"}]}
    waiting = {"in_review": {"items": [{}], "total": 2}}
    found = today(DAY, **{**TODAY, "tasks": tasks, "objectives": aims, "missing": STEPS})
    assert [(one.key, one.title) for one in found] == [("late", "Old"), ("due", "Now"), ("review", "Half")]
    found = today(DAY, **{**TODAY, "tasks": {"items": tasks["items"][2:]}, "waiting": waiting, "missing": STEPS})
    assert [(one.key, one.count) for one in found] == [("in_review", 2), ("step.leaders", 1), ("step.content_ask", 1)]
    assert [one.key for one in today(DAY, **{**TODAY, "tasks": {"items": [task("2026-03-12")]}})] == ["next"]
    assert today(DAY, **TODAY) == []


def test_an_empty_programme_is_told_its_first_steps() -> None:
    steps = [Step(one, one, f"/{one}", 0, 1, False) for one in ("objectives", "leaders", "volunteers", "guidelines")]
    found = today(DAY, **{**TODAY, "tasks": {"items": [], "total": 0}, "missing": steps})
    assert [one.key for one in found] == ["step.objectives", "step.leaders", "step.volunteers"]


def test_nothing_of_a_busy_day_hides_people_who_wait() -> None:
    late = [task(f"2026-03-0{day}", f"Late {day}") for day in range(1, 6)]
    due = [task("2026-03-10", f"Due {number}") for number in range(4)]
    waiting = {"applications": {"items": [{}], "total": 7}, "questions": {"items": [], "total": 0}}
    busy = {**TODAY, "tasks": {"items": late + due}, "waiting": waiting, "missing": STEPS}
    found = today(DAY, **busy)
    assert [(one.key, one.count, one.path) for one in found] == [
        ("late", 5, "/manage/tasks"), ("due", 4, "/manage/tasks"), ("applications", 7, "/manage/applications"),
    ]  # fmt: skip
    assert today(DAY, **{**busy, "tasks": {"items": late[:1]}})[0].path == "/manage/tasks/t1"
    states = {"w1": "decided", "w2": "ended", "w3": "running"}
    waves = {"items": [{"wave": {"id": id, "name": f"Wave {id}"}, "state": state} for id, state in states.items()]}
    [wave, *_] = today(DAY, **{**TODAY, "waves": waves})
    assert (wave.key, wave.count, wave.title, wave.path) == ("wave_over", 1, "Wave w2", "/manage/waves/w2")


def test_a_newsletter_that_is_begun_is_sent_and_four_weeks_later_the_next_one_is_due() -> None:
    def line(state: str, begun_at: str | None = None) -> list[tuple[str, str, int]]:
        found = {"items": [{"id": "n1", "state": state, "begun_at": begun_at}, {"id": "n0"}]}
        return [(one.key, one.path, one.count) for one in today(DAY, **TODAY, newsletters=found)]

    assert line("draft") == line("approved") == [("newsletter_waits", "/manage/newsletters/n1", 1)]
    assert line("scheduled") == line("sent", "2026-02-11T09:00:00Z") == []
    assert line("sent", "2026-02-10T09:00:00Z") == [("newsletter_due", "/manage/newsletters", 28)]


def test_what_cannot_be_had_is_nothing_to_do() -> None:
    away = Missing(ServiceUnavailable("program", "away"))
    every: dict[str, Any] = {
        "tasks": away,
        "objectives": away,
        "waves": away,
        "waiting": {"applications": away},
        "missing": STEPS,
        "newsletters": away,
    }
    assert [one.key for one in today(DAY, **every)] == ["step.leaders", "step.content_ask"]


def test_of_a_programme_that_is_over_only_what_was_learned_is_left() -> None:
    tasks = {"items": [task("2026-03-08")]}
    aims = [
        {"objective_id": f"o{number}", "title": f"Aim {number}", "ended": True, "state": "open"} for number in (1, 2)
    ]
    waiting = {"applications": {"items": [{}], "total": 1}}
    over = {**TODAY, "tasks": tasks, "waiting": waiting, "missing": STEPS, "archived": True}
    assert today(DAY, **over) == []
    found = today(DAY, **{**over, "objectives": {"items": aims}})
    assert [(one.key, one.count, one.path) for one in found] == [("review", 2, "/manage/objectives")]


def test_a_month_tells_what_moved_and_why_it_suggests_what() -> None:
    moved = [
        tile("shares", -0.4),
        tile("clicks_counted", 0.2),
        tile("active_ambassadors", 0.04),
        tile("clicks_raw", 3.0),
    ]
    found = month(moved, **NONE)
    assert [one.key for one in found.rose] == ["clicks_counted"]
    assert [one.key for one in found.fell] == ["shares"]
    assert [one.key for one in found.suggestions] == ["shares", "thank", "plan"]
    aims = {"items": [{"objective_id": "o", "title": "Half", "outlook": "unlikely", "ended": False}]}
    tiles = [tile("participation_rate", -0.2, 0.3), tile("leader_participation", None, 0.25)]
    found = month(tiles, tasks={"items": [task("2026-03-01")]}, objectives=aims, missing=STEPS)
    assert [one.key for one in found.suggestions] == ["participation", "leaders", "behind"]


@pytest.mark.parametrize("name", ["2026-13", "2026-00", "x", "", "0000-01", "9999-12"])
def test_a_month_that_is_none_is_the_present_one(name: str) -> None:
    assert shown_month(name, DAY) == (date(2026, 3, 1), date(2026, 3, 31))


def test_a_month_is_laid_out_from_monday_on() -> None:
    first, last = shown_month("2024-02", DAY)
    shown = laid_out(first, last, [{"day": "2024-02-29", "id": "b"}, {"day": "2024-02-01", "id": "a"}])
    assert [len(week) for week in shown.weeks] == [7] * 5
    assert shown.weeks[0][3] == first
    assert [day for week in shown.weeks for day in week if day][-1] == last == date(2024, 2, 29)
    assert list(shown.days) == [first, last]
    assert (shown.before, shown.after) == ("2024-01", "2024-03")


def test_a_calendar_file_has_each_entry_as_a_day() -> None:
    title = "Écrire; demander,\r\nremercier"
    entries = [
        {"day": "2026-03-10", "kind": "task", "title": title, "id": "t1", "done": True},
        {"day": "2026-03-11", "kind": "newer_kind", "title": "N", "id": "n", "done": False},
    ]
    found = {"name": "Voix", "items": entries}
    now = datetime(2026, 3, 1, 9, tzinfo=UTC)
    read = Calendar.from_ical(calendar_file(found, Language("fr"), now, "https://herald.example/manage/calendar"))
    assert (str(read["x-wr-calname"]), str(read["version"])) == ("Voix", "2.0")
    first, second = read.walk("VEVENT")
    assert (first.decoded("dtstart"), str(first["uid"])) == (date(2026, 3, 10), "task.t1@herald")
    assert str(first["summary"]) == "✓ Écrire; demander, remercier (tâche)"
    assert str(first["url"]) == "https://herald.example/manage/calendar?month=2026-03"
    assert str(second["summary"]) == "N (newer kind)"
