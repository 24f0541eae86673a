"""Tasks of a programme's team, and the content mix that it wants."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chassis.web.problems import Invalid
from services.program.domain.mixes import change_mix, no_mix
from services.program.domain.people import Person, ProgramGrant
from services.program.domain.tasks import Task, change_task, check_owner, finish_task, on_team, reopen_task

NOW = datetime(2026, 3, 1, 9, tzinfo=UTC)
TASK = Task("t", "p", 1, "Write", "content", date(2026, 3, 10), NOW, NOW)


@given(st.lists(st.sampled_from(["change", "finish", "reopen"]), max_size=8))
def test_a_task_is_open_or_done_and_says_by_whom(acts: list[str]) -> None:
    task = TASK
    for number, act in enumerate(acts):
        later = NOW + timedelta(hours=number)
        if act == "change":
            after = change_task(task, later, title=f"Write {number % 2}")
        else:
            after = finish_task(task, "ada", later) if act == "finish" else reopen_task(task, later)
            assert after.state == ("done" if act == "finish" else "open")
        assert (after is task) == (after.version == task.version)
        assert (after.done_by is None) == (after.done_at is None) == (after.state == "open")
        task = after


def person(**values: object) -> Person:
    return Person(
        id="a",
        name="A",
        country="FR",
        team="IT",
        locale="fr",
        created_at=NOW,
        updated_at=NOW,
        **values,  # type: ignore[arg-type]
    )


@pytest.mark.parametrize(
    ("who", "may"),
    [
        (None, False),
        (person(), False),
        (person(grants=("admin",)), False),
        (person(grants=("manager",)), True),
        (person(grants=("manager",), active=False), False),
        (person(program_grants=(ProgramGrant("p", "editor"),)), True),
        (person(program_grants=(ProgramGrant("q", "editor"),)), False),
    ],
)
def test_a_stranger_has_no_task(who: Person | None, may: bool) -> None:
    assert on_team(who, "p") is may
    if not may:
        with pytest.raises(Invalid) as refused:
            check_owner(who, "p")
        assert [(one.field, one.rule) for one in refused.value.errors] == [("owner_id", "not-on-team")]


def test_a_mix_is_whole_or_none() -> None:
    first = change_mix(no_mix("p"), {"jobs": 40, "company_news": 60, "sector_news": 0}, NOW)
    assert (first.version, first.shares) == (2, {"jobs": 40, "company_news": 60})
    assert change_mix(first, {"company_news": 60, "jobs": 40}, NOW) is first
    assert change_mix(first, {}, NOW).shares == {}
    with pytest.raises(Invalid) as refused:
        change_mix(first, {"jobs": 50, "company_news": 60}, NOW)
    assert [(one.field, one.rule, one.params) for one in refused.value.errors] == [
        ("shares", "not-whole", {"sum": 110, "whole": 100})
    ]
