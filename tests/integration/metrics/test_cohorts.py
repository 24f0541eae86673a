"""Waves from events on Kafka to their figures, on real servers."""

from __future__ import annotations

import random
from collections.abc import AsyncIterator
from datetime import timedelta
from typing import Any

import pytest

from chassis.service import Service
from herald_contracts import CohortJoined, CohortLeft, CohortStarted, Event, SurveyClosed
from services.metrics.app import build
from services.metrics.settings import MetricsSettings
from tests.integration.harness import Harness, eventually
from tests.integration.metrics.test_figures import NOW, PROGRAM, created, joined, shared

PILOT, SECOND = "pilot", "second"


@pytest.fixture
async def service(borrowed: None, harness: Harness) -> AsyncIterator[Service]:
    found = build(harness.settings(MetricsSettings))
    yield found
    await found.runtime.close()


def started(wave: str, days_ago: int, revision: int = 2) -> CohortStarted:
    first = (NOW - timedelta(days=days_ago)).date()
    return CohortStarted(
        program_id=PROGRAM,
        wave_id=wave,
        revision=revision,
        starts_on=first,
        ends_on=first + timedelta(days=41),
        occurred_at=NOW - timedelta(days=days_ago),
    )


def entered(wave: str, person: str, days_ago: int) -> CohortJoined:
    at = NOW - timedelta(days=days_ago)
    return CohortJoined(program_id=PROGRAM, wave_id=wave, person_id=person, occurred_at=at)


def left(wave: str, person: str, days_ago: int, reason: str = "left") -> CohortLeft:
    at = NOW - timedelta(days=days_ago)
    return CohortLeft(program_id=PROGRAM, wave_id=wave, person_id=person, reason=reason, occurred_at=at)


def closed(days_ago: int, promoters: int, detractors: int, wave: str | None = None) -> SurveyClosed:
    day = (NOW - timedelta(days=days_ago)).date()
    return SurveyClosed(
        program_id=PROGRAM,
        survey_id=f"survey-{days_ago}",
        wave_id=wave,
        opens_on=day - timedelta(days=9),
        closes_on=day,
        answers=20,
        enps=5.0 * (promoters - detractors),
        promoters=promoters,
        detractors=detractors,
        occurred_at=NOW - timedelta(days=days_ago),
    )


PILOTS, SECONDS = [f"p{n}" for n in range(8)], [f"s{n}" for n in range(6)]


def history() -> list[Event]:
    """A pilot of eight 100 days ago: six share, four of them in the fifth week too, one leaves. A second wave of six 40
    days ago: three share, none later. Between them, a wave whose start was taken back. Each was asked, and all too."""
    found: list[Event] = [started(PILOT, 100), started("not-this", 60), started(SECOND, 40)]
    found += [joined(one, days_ago=120) for one in (*PILOTS, *SECONDS, "x")]
    found += [entered(PILOT, one, 100) for one in PILOTS] + [entered(SECOND, one, 40) for one in SECONDS]
    found += [entered("not-this", "s0", 60), left("not-this", "s0", 59, "withdrawn"), left(PILOT, "p7", 90)]
    found += [shared(one, f"{one}-early", days_ago=95) for one in PILOTS[:6]]
    found += [shared(one, f"{one}-late", days_ago=70) for one in PILOTS[:4]]
    found += [shared(one, f"{one}-early", days_ago=30) for one in SECONDS[:3]]
    return [
        *found,
        shared("x", "x-1", days_ago=90),
        closed(65, 12, 2, PILOT),
        closed(5, 8, 6, SECOND),
        closed(2, 20, 0),
    ]


async def test_a_wave_beside_the_wave_before(harness: Harness, service: Service) -> None:
    """Whatever order the events come in, and however often: a rebuild from the first event gives the same figures."""
    async with harness.worker(service), harness.api(service) as client:
        await harness.person("boss", "manager")
        events = history()
        await harness.publish(created(), *random.Random(8).sample(events, len(events)))

        async def figures(wave: str = SECOND) -> dict[str, Any]:
            answer = await client.get(f"/v1/programs/{PROGRAM}/waves/{wave}", headers=harness.bearer("boss"))
            return dict(answer.json())

        def complete(found: dict[str, Any]) -> bool:
            before = found.get("before") or {}
            return (
                (found.get("members"), found.get("shared")) == (6, 3)
                and (before.get("members"), before.get("shared"), before.get("left")) == (8, 6, 1)
                and (before["retention"]["numerator"], before["enps"]["status"]) == (4, "shown")
                and found["enps"]["status"] == "shown"
            )

        found = await eventually(figures, until=complete)
        assert found["participation"] == {
            "status": "shown",
            "value": 0.5,
            "low": 0.1876,
            "high": 0.8124,
            "numerator": 3,
            "denominator": 6,
        }
        before = found["before"]
        assert before["wave_id"] == PILOT
        assert (before["participation"]["value"], before["retention"]["value"]) == (0.75, 0.6667)
        assert found["retention"]["status"] == "too_few"
        assert (before["enps"]["value"], found["enps"]["value"], found["enps"]["denominator"]) == (50.0, 10.0, 20)
        differences = found["differences"]
        assert differences["retention"] is None
        assert differences["participation"]["low"] < -0.25 == differences["participation"]["value"] < 0
        assert differences["participation"]["high"] > 0
        assert differences["enps"]["value"] == -40.0
        assert (await figures(PILOT))["before"] is None

        # All of it once more, from the first to the last: nothing moves.
        await harness.publish(*events)
        await harness.publish(*[entered(SECOND, "x", 1), shared("x", "x-2")])
        grown = await eventually(figures, until=lambda one: one["members"] == 7 and one["shared"] == 4)
        assert grown["participation"] == found["participation"]
        assert grown["before"] == before

        # A slice of all figures: the cohort's people alone.
        days = {"from": (NOW - timedelta(days=100)).date().isoformat(), "to": NOW.date().isoformat()}
        path = f"/v1/programs/{PROGRAM}/figures"
        answer = await client.get(path, params={**days, "wave_id": PILOT}, headers=harness.bearer("boss"))
        part = answer.json()["figures"]
        assert (part["shares"]["value"], part["ambassadors_enrolled"]["value"]) == (10, 8)
        nobody = await client.get(path, params={**days, "wave_id": "not-this"}, headers=harness.bearer("boss"))
        assert nobody.json()["suppressed"]


async def test_few_are_not_told_of_and_hidden_ones_are_in_no_cohort(harness: Harness, service: Service) -> None:
    async with harness.worker(service), harness.api(service) as client:
        await harness.person("boss", "manager")
        await harness.person("p0", "ambassador", hidden_from_statistics=True)
        people = PILOTS[:5]
        await harness.publish(created(), started(PILOT, 50), *(entered(PILOT, one, 50) for one in people))

        async def answer(who: str = "boss", wave: str = PILOT) -> Any:
            return await client.get(f"/v1/programs/{PROGRAM}/waves/{wave}", headers=harness.bearer(who))

        found = (await eventually(answer, until=lambda one: one.status_code == 200)).json()
        assert (found["suppressed"], found["members"], found["shared"]) == (True, None, None)
        assert found["participation"] == {
            **dict.fromkeys(("value", "low", "high", "numerator", "denominator")),
            "status": "none",
        }
        await harness.publish(entered(PILOT, "p9", 50))
        shown = await eventually(answer, until=lambda one: not one.json()["suppressed"])
        assert shown.json()["members"] == 5
        assert (await answer("p0")).status_code == 403
        assert (await answer(wave="none")).status_code == 404
