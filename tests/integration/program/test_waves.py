"""Waves on real servers: who enters which cohort and when, what is told of it, and what nobody can do."""

from __future__ import annotations

from datetime import datetime, timedelta
from types import SimpleNamespace
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from herald_contracts import CohortJoined, CohortLeft, CohortStarted, WaveDecided
from services.program.commands import waves
from services.program.jobs import fill_cohorts
from tests.integration.program.conftest import ProgramHarness

TODAY = datetime.now(ZoneInfo("Europe/Paris")).date()
WAVE = {
    "name": "Pilot",
    "goal": "Do twenty of us find the time?",
    "targets": {"participation": 0.6},
    "starts_on": (TODAY - timedelta(days=2)).isoformat(),
    "ends_on": (TODAY + timedelta(days=9)).isoformat(),
    "criteria": {"teams": ["IT"]},
}


def days(first: int, last: int) -> dict[str, str]:
    return {name: (TODAY + timedelta(days=n)).isoformat() for name, n in (("starts_on", first), ("ends_on", last))}


async def a_program(program: ProgramHarness, **teams: str) -> str:
    """The path of an open programme with these ambassadors, by their teams."""
    path = f"/programs/{await program.create_program(open=True)}"
    for who, team in teams.items():
        await joins(program, path, who, team)
    await program.forget()
    return path


async def joins(program: ProgramHarness, path: str, who: str, team: str = "IT") -> None:
    await program.sign_in(who, team=team)
    await program.ok(who, "POST", f"{path}/join", {"consent_version": 1})


async def planned(program: ProgramHarness, path: str, **changes: Any) -> str:
    """The path of a wave."""
    return f"{path}/waves/{(await program.ok('max', 'POST', f'{path}/waves', {**WAVE, **changes}))['id']}"


async def run_the_job(program: ProgramHarness) -> None:
    context: Any = program.service.context
    job: Any = SimpleNamespace(lease=SimpleNamespace(transact=context.mongo.transact), may_go_on=True)
    await fill_cohorts(context, job)


async def told(program: ProgramHarness, kind: type[Any]) -> list[Any]:
    return [one.data for one in await program.emitted() if isinstance(one.data, kind)]


async def cohort(program: ProgramHarness, kind: type[Any] = CohortJoined) -> list[str]:
    names = {id: who for who, id in program.ids.items()}
    return sorted(names[one.person_id] for one in await told(program, kind))


async def test_a_pilot_and_the_wave_after_it(program: ProgramHarness) -> None:
    path = await a_program(program, ada="IT", bea="IT", cem="HR")
    pilot = await planned(program, path)
    assert (await program.ok("max", "GET", pilot))["matching"] == 2
    started = await program.ok("max", "POST", f"{pilot}/start")
    assert started["state"] == "running"
    assert await program.ok("max", "POST", f"{pilot}/start") == started
    assert await cohort(program) == ["ada", "bea"]
    [begun] = await told(program, CohortStarted)
    assert (begun.wave_id, str(begun.ends_on)) == (started["id"], WAVE["ends_on"])

    # The population grows while it runs; who leaves stays in the figures, and is back where they were.
    await joins(program, path, "dia")
    await joins(program, path, "eli", "HR")
    await program.ok("bea", "POST", f"{path}/leave")
    await program.ok("bea", "POST", f"{path}/leave")
    assert await cohort(program) == ["ada", "bea", "dia"]
    assert await cohort(program, CohortLeft) == ["bea"]
    found = await program.ok("max", "GET", pilot)
    assert (found["members"], found["left"]) == (3, 1)
    await program.ok("bea", "POST", f"{path}/join", {"consent_version": 1})
    assert (await program.ok("max", "GET", pilot))["left"] == 0

    second = await planned(program, path, name="All", criteria={"everybody": True}, **days(10, 30))
    assert await program.refused("max", "POST", f"{second}/start") == (409, "wave-not-due")
    said = {"decision": "go", "reasons": "They like it.", "decided_by": [program.ids["max"]]}
    decided = await program.ok("max", "POST", f"{pilot}/decision", said)
    assert (decided["state"], decided["closed_on"]) == ("decided", TODAY.isoformat())
    assert await program.ok("max", "POST", f"{pilot}/decision", said) == decided
    assert [one.decided_by for one in await told(program, WaveDecided)] == [[program.ids["max"]]]

    # From here on the pilot's cohort is what it is.
    await joins(program, path, "fay")
    assert (await program.ok("max", "GET", pilot))["members"] == 3
    match = {"If-Match": "*"}
    assert await program.refused("max", "PUT", pilot, WAVE, headers=match) == (409, "wave-decided")


async def test_who_was_in_a_cohort_is_in_no_later_one(program: ProgramHarness) -> None:
    path = await a_program(program, ada="IT", cem="HR")
    pilot = await planned(program, path, **days(-2, -1) | {"ends_on": TODAY.isoformat()})
    await program.ok("max", "POST", f"{pilot}/start")
    await program.ok("max", "POST", f"{pilot}/decision", {"decision": "no_go", "reasons": "Too many mails."})
    context: Any = program.service.context
    await context.mongo.db["waves"].update_many({}, {"$set": {"closed_on": (TODAY - timedelta(days=1)).isoformat()}})
    after = {"name": "All", "criteria": {"everybody": True}, **days(0, 9)}
    second = await planned(program, path, **after)
    assert (await program.ok("max", "GET", second))["matching"] == 1
    answer = await program.call("max", "POST", f"{second}/start")
    assert [(one["field"], one["rule"]) for one in answer.json()["errors"]] == [("changes", "after-no-go")]
    changed = {**WAVE, **after, "changes": "One mail a week."}
    await program.ok("max", "PUT", second, changed, headers={"If-Match": "*"})
    await program.forget()
    await program.ok("max", "POST", f"{second}/start")
    assert await cohort(program) == ["cem"]
    await program.ok("ada", "POST", f"{path}/leave")
    await program.ok("ada", "POST", f"{path}/join", {"consent_version": 1})
    assert await cohort(program) == ["cem"]
    assert await program.refused("max", "POST", f"{pilot}/reopen") == (409, "wave-followed")
    places = await program.ok("cem", "GET", "/me/cohorts")
    assert [(one["wave_id"], one["left_at"]) for one in places["items"]] == [(second.rsplit("/")[-1], None)]


async def test_a_large_cohort_is_filled_and_emptied_by_the_job(
    program: ProgramHarness, monkeypatch: pytest.MonkeyPatch
) -> None:
    """And whoever joined beside its start, without either seeing the other, is found by the second look."""
    monkeypatch.setattr(waves, "AT_ONCE", 2)
    monkeypatch.setattr(waves, "AGAIN_AFTER", timedelta())
    path = await a_program(program, **dict.fromkeys(("ada", "bea", "cem", "dia", "eli"), "IT"))
    pilot = await planned(program, path)
    await program.ok("max", "POST", f"{pilot}/start")
    assert len(await cohort(program)) == 2
    context: Any = program.service.context
    await context.mongo.db["cohort_members"].delete_many({"person_id": program.ids["ada"]})
    for _ in range(2):
        await run_the_job(program)
    assert (await program.ok("max", "GET", pilot))["members"] == 5
    assert await context.mongo.db["cohort_fillings"].count_documents({}) == 0
    await program.forget()
    await program.ok("max", "POST", f"{pilot}/withdraw")
    await run_the_job(program)
    assert await cohort(program, CohortLeft) == ["ada", "bea", "cem", "dia", "eli"]
    assert {one.reason for one in await told(program, CohortLeft)} == {"withdrawn"}
    assert (await program.ok("max", "GET", pilot))["matching"] == 5


async def test_what_cannot_be_is_refused_and_changes_nothing(program: ProgramHarness) -> None:
    path = await a_program(program, ada="IT")
    pilot = await planned(program, path)
    new = f"{path}/waves"
    cases: list[tuple[dict[str, Any], tuple[str, str]]] = [
        ({"criteria": {}}, ("criteria", "empty-segment")),
        ({"criteria": {"everybody": True, "teams": ["IT"]}}, ("criteria", "empty-segment")),
        ({"criteria": {"people": ["nobody"]}}, ("criteria.people.0", "unknown")),
        (days(5, 20), ("starts_on", "overlap")),
        (days(-9, -2), ("ends_on", "overlap")),
        (days(30, 20), ("ends_on", "before-start")),
        ({"targets": {"participation": 1.5}}, ("targets.participation", "at-most")),
    ]
    for wrong, fault in cases:
        answer = await program.call("max", "POST", new, {**WAVE, **wrong})
        assert answer.status_code == 422, answer.text
        assert [(one["field"], one["rule"]) for one in answer.json()["errors"]] == [fault]
    nobody = {**WAVE, "criteria": {"teams": ["Nobody's"]}}
    await program.ok("max", "PUT", pilot, nobody, headers={"If-Match": "*"})
    assert await program.refused("max", "POST", f"{pilot}/start") == (409, "cohort-empty")
    await program.ok("max", "PUT", pilot, WAVE, headers={"If-Match": "*"})
    go = {"decision": "go", "reasons": "They like it."}
    assert await program.refused("max", "POST", f"{pilot}/decision", go) == (409, "wave-not-started")
    await program.ok("max", "POST", f"{pilot}/start")
    cases = [
        ({"reasons": " "}, ("reasons", "blank")),
        ({"decided_by": ["nobody"]}, ("decided_by.0", "unknown")),
        ({"decision": "perhaps"}, ("decision", "one-of")),
    ]
    for wrong, fault in cases:
        answer = await program.call("max", "POST", f"{pilot}/decision", {**go, **wrong})
        assert [(one["field"], one["rule"]) for one in answer.json()["errors"]] == [fault], answer.text
    assert await program.refused("ada", "POST", f"{pilot}/decision", go) == (403, "role-missing")
    assert await program.refused("max", "DELETE", pilot) == (409, "wave-started")
    assert len((await program.ok("max", "GET", new))["items"]) == 1
    await program.ok("max", "POST", f"{path}/archive")
    assert await program.refused("max", "POST", new, {**WAVE, **days(20, 30)}) == (409, "program-archived")
