"""Facts and counters on the real database: the same figures in whatever order and pieces events arrive."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Sequence
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from functools import partial
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from chassis.consumer import Consumer, Received
from chassis.ids import derived_id
from chassis.jobs import JobContext
from chassis.mongo import Transaction
from chassis.mongo.leases import Lease
from chassis.service import Service
from herald_contracts import (
    ActRecorded,
    ActWithdrawn,
    AmbassadorJoined,
    AmbassadorLeft,
    AmbassadorPaused,
    AmbassadorResumed,
    EngagementRecorded,
    Event,
    PersonProvisioned,
    PostRemoved,
    PostShared,
    ProgramCreated,
)
from services.metrics import queries
from services.metrics.app import build
from services.metrics.context import Context
from services.metrics.domain.definitions import DEFINITIONS
from services.metrics.domain.objectives import Standing
from services.metrics.domain.periods import Period
from services.metrics.domain.window import Window
from services.metrics.paces import Paces
from services.metrics.queries import Slice
from services.metrics.settings import MetricsSettings
from services.metrics.windows import Windows
from tests.fuzz import examples
from tests.integration.harness import Harness

START = datetime(2026, 3, 1, 12, tzinfo=UTC)
PROGRAM, ZONE = "prog", "Europe/Paris"
PEOPLE = tuple(f"a{n}" for n in range(4))
POSTS = tuple((f"p{n}", PEOPLE[n % 4], f"c{n % 3}", ("linkedin", "x")[n % 2]) for n in range(6))
WHOLE = Period(date(2026, 2, 1), date(2026, 4, 30))


async def test_a_group_is_as_large_as_the_setting_says(booking: Booking) -> None:
    team = [f"t{n}" for n in range(5)]
    await booking.take([CREATED, *(person(name, "Big") for name in team)])
    await booking.take([membership(name, 0, joined=True) for name in team])
    slices = [Slice(team="Big"), Slice(country="FR")]

    async def shown() -> list[bool]:
        by_group = [bool(await booking.series(by)) for by in ("team", "country")]
        found = [await booking.find_figures(part=part) is not None for part in slices]
        return [*by_group, *found, bool((await booking.window()).by_country())]

    assert all(await shown())
    booking.context = replace(
        booking.context, small_group=6, windows=Windows(booking.store, booking.context.lessons, 6)
    )
    assert not any(await shown())


def _post(number: int) -> dict[str, Any]:
    post, person, content, network = POSTS[number]
    return {
        "post_id": post,
        "ambassador_id": person,
        "program_id": PROGRAM,
        "content_id": content,
        "network": network,
    }


def shared(number: int, hours: int = 0) -> PostShared:
    return PostShared(
        **_post(number),
        occurred_at=START + timedelta(hours=hours),
        language="fr",
        edited=False,
        link_code=f"code-{number}",
        method="dialog",
    )


def removed(number: int, hours: int = 48, reason: Any = "ambassador") -> PostRemoved:
    return PostRemoved(**_post(number), occurred_at=START + timedelta(hours=hours), reason=reason)


def engaged(number: int, hours: int = 0, **values: Any) -> EngagementRecorded:
    told = {"kind": "click", "verdict": "counted", "quantity": 1, "measure": "measured", **values}
    return EngagementRecorded(**_post(number), occurred_at=START + timedelta(hours=hours), **told)


def acted(act: str, number: int, hours: int = 0) -> ActRecorded:
    at = START + timedelta(hours=hours)
    names = {"act_id": f"act-{number}", "ambassador_id": "a0", "program_id": PROGRAM, "object_id": f"of-{number}"}
    return ActRecorded(**names, act=act, occurred_at=at)


def membership(person: str, hours: int, *, joined: bool) -> Event:
    at = START + timedelta(hours=hours)
    if joined:
        return AmbassadorJoined(person_id=person, program_id=PROGRAM, consent_version=1, occurred_at=at)
    return AmbassadorLeft(person_id=person, program_id=PROGRAM, reason="left", occurred_at=at)


def person(id: str, team: str = "Sales") -> PersonProvisioned:
    return PersonProvisioned(
        person_id=id,
        revision=1,
        accounts=[],
        roles=["ambassador"],
        active=True,
        country="FR",
        team=team,
        locale="fr",
        origin="import",
        occurred_at=START,
    )


CREATED = ProgramCreated(program_id=PROGRAM, name="P", time_zone=ZONE, languages=["fr"], occurred_at=START)


class Booking:
    """The service's handler on its real database, without Kafka between."""

    def __init__(self, service: Service) -> None:
        self.service = service
        self.context: Context = service.context
        self.store = self.context.store

    async def empty(self) -> None:
        for name in await self.service.runtime.mongo.db.list_collection_names():
            await self.service.runtime.mongo.db[name].delete_many({})

    async def take(self, *batches: Sequence[Event]) -> None:
        """Handle each batch in a transaction of its own; an event's id follows from its content."""
        assert self.service.consumer is not None
        for batch in batches:
            received: list[Received[Event]] = [
                Received(
                    id=derived_id(event.type, event.model_dump_json()),
                    type=event.type,
                    subject=event.aggregate_id,
                    time=START,
                    data=event,
                    topic=event.topic,
                    partition=0,
                    offset=offset,
                    traceparent=None,
                    tracestate=None,
                )
                for offset, event in enumerate(batch)
            ]
            await self.service.runtime.mongo.transact(partial(self._apply, self.service.consumer, received))

    async def _apply(self, consumer: Consumer, told: Sequence[Received[Event]], tx: Transaction) -> None:
        """As the consumer does: what is a fact is told no second time."""
        facts = await self.store.booked([one.id for one in told], tx)
        await consumer.apply(tx, [one for one in told if one.id not in facts])

    async def figures(self, period: Period = WHOLE, part: Slice | None = None) -> dict[str, Any]:
        found = await self.find_figures(period, part)
        assert found is not None
        return found

    async def find_figures(self, period: Period = WHOLE, part: Slice | None = None) -> dict[str, Any] | None:
        program = await self.store.program(PROGRAM)
        return await queries.figures(self.context, program, period, part or Slice())

    async def series(self, by: Any) -> list[dict[str, Any]]:
        program = await self.store.program(PROGRAM)
        return await queries.series(self.context, program, WHOLE, by, Slice())

    async def window(self) -> Window:
        """The live figures of the whole period, as a dashboard that has been open all the time has them."""
        version = await self.store.changes.version_of(PROGRAM)
        return await self.context.windows.at_version(await self.store.program(PROGRAM), WHOLE, version)


@pytest.fixture
async def booking(borrowed: None, harness: Harness) -> AsyncIterator[Booking]:
    service = build(harness.settings(MetricsSettings))
    await service.ensure_indexes()
    yield Booking(service)
    await service.runtime.close()


async def test_a_share_that_was_taken_back_leaves_its_own_day_in_either_order(booking: Booking) -> None:
    for batches in ([[shared(0)], [removed(0)]], [[removed(0)], [shared(0)]], [[removed(0), shared(0)]]):
        await booking.empty()
        await booking.take([CREATED], *batches)
        assert {row["key"]: row["shares"] for row in await booking.series("day") if row["shares"]} == {}, batches
        assert (await booking.figures())["active_ambassadors"]["value"] == 0


async def test_a_share_is_taken_back_once(booking: Booking) -> None:
    await booking.take([CREATED, shared(0), shared(1)], [removed(0)], [removed(0, 50, "takedown")])
    assert (await booking.figures())["shares"]["value"] == 1


async def test_who_left_before_it_was_known_that_they_joined_has_left(booking: Booking) -> None:
    await booking.take([CREATED], [membership("a0", 30, joined=False)], [membership("a0", 0, joined=True)])
    assert (await booking.figures())["ambassadors_enrolled"]["value"] == 1
    later = Period(date(2026, 3, 5), date(2026, 3, 9))
    assert (await booking.figures(later))["ambassadors_enrolled"]["value"] == 0


async def test_what_was_not_measured_is_neither_counted_nor_paid(booking: Booking) -> None:
    await booking.take(
        [CREATED, engaged(0, kind="like", quantity=2), engaged(0, 1, kind="like", quantity=50, measure="estimated")],
        [engaged(0, 2, quantity=9, measure="potential"), engaged(0, 3, kind="impression", measure="potential")],
    )
    found = await booking.figures()
    assert (found["engagements"]["value"], found["clicks_raw"]["value"]) == (2, 0)
    assert found["earned_media_value"]["value"] == 1.2
    assert found["engagements"]["estimated"] == 50
    apart = {"estimated": 0, "potential": 1, "imported": 0}
    assert found["impressions"] == {"value": 0, **apart, "formula": "sum(impression)"}


async def test_who_takes_a_break_is_not_among_those_enrolled_until_they_resume(booking: Booking) -> None:
    days = {cls: START + timedelta(days=day) for cls, day in ((AmbassadorPaused, 10), (AmbassadorResumed, 20))}
    breaks = [cls(person_id="a0", program_id=PROGRAM, occurred_at=at) for cls, at in days.items()]
    await booking.take([CREATED, membership("a0", 0, joined=True), membership("a1", 0, joined=True)], breaks)

    async def enrolled(day: int) -> float:
        start = START.date() + timedelta(days=day)
        figures = await booking.figures(Period(start, start + timedelta(days=1)))
        return float(figures["ambassadors_enrolled"]["value"])

    assert [await enrolled(day) for day in (4, 14, 24)] == [2, 1, 2]


async def test_history_counts_on_its_own_days_and_apart(booking: Booking) -> None:
    then: dict[str, Any] = {"person_id": "a0", "program_id": PROGRAM, "origin": "imported"}
    old = shared(0).model_copy(update={"method": "imported"})
    await booking.take(
        [CREATED, shared(4, 24 * 20), membership("a1", 0, joined=True)],
        [AmbassadorLeft(**then, reason="left", occurred_at=START + timedelta(hours=48))],
        [AmbassadorJoined(**then, occurred_at=START - timedelta(hours=48))],
        [old, engaged(0, quantity=7, measure="imported"), engaged(0, 1, kind="like", quantity=2, measure="imported")],
        [engaged(1, 2, quantity=3)],
    )
    week = await booking.figures(Period(date(2026, 2, 25), date(2026, 3, 3)))
    assert (week["shares"]["value"], week["shares"]["imported"]) == (1, 1)
    assert (week["clicks_counted"]["value"], week["clicks_counted"]["imported"]) == (10, 7)
    assert (week["engagements"]["value"], week["engagements"]["imported"]) == (12, 9)
    assert (week["active_ambassadors"]["value"], week["ambassadors_enrolled"]["value"]) == (1, 2)
    later = await booking.figures(Period(date(2026, 3, 10), date(2026, 3, 30)))
    assert (later["shares"]["value"], later["shares"]["imported"]) == (1, 0)
    assert later["ambassadors_enrolled"]["value"] == 1
    principals = booking.service.runtime.mongo.db["principals"]
    assert await principals.count_documents({"_id": "a0", "memberships": PROGRAM}) == 0
    await booking.take([old.model_copy(update={"post_id": "p9"}), removed(0)])
    assert (await booking.figures())["shares"] == {"value": 2, "imported": 1, "formula": DEFINITIONS["shares"].formula}


async def test_figures_of_fewer_than_five_are_shown_nowhere(booking: Booking) -> None:
    teams = {"Big": 6, "Sole": 1, "Next": 5}
    names = [(team, f"{team}{n}") for team, size in teams.items() for n in range(size)]
    await booking.take([CREATED, *(person(name, team) for team, name in names)])
    await booking.take([membership(name, 0, joined=True) for _, name in names])
    assert await booking.find_figures(part=Slice(team="Sole")) is None
    big = await booking.figures(part=Slice(team="Big"))
    assert big["ambassadors_enrolled"]["value"] == 6
    found = {row["key"]: row["ambassadors_enrolled"] for row in await booking.series("team")}
    assert found == {"Big": 6, None: 6}


@pytest.mark.parametrize(("days_after", "whole_days"), [(0, 0), (1, 1), (9, 9)])
async def test_a_pace_begins_with_the_first_day_of_which_anything_is_known(
    booking: Booking, days_after: int, whole_days: int
) -> None:
    await booking.take([CREATED, shared(0)])
    program, today = await booking.store.program(PROGRAM), START.date() + timedelta(days=days_after)
    for kpi in ("shares", "active_ambassadors"):
        pace = await Paces(booking.store, booking.context.lessons).of(program, kpi, WHOLE, today)
        assert (pace.days, len(pace.last)) == (whole_days, whole_days)


async def test_acts_beside_sharing_are_kpis_with_a_pace(booking: Booking) -> None:
    hires = [acted("hire", number, hours=24 * number) for number in range(4)]
    talk = acted("talk", 9, hours=50)
    withdrawn = ActWithdrawn(**{**hires[3].model_dump(), "reason": "manager"})
    await booking.take([CREATED], [*hires, talk, withdrawn])
    program, today = await booking.store.program(PROGRAM), START.date() + timedelta(days=5)
    paces = {
        kpi: await Paces(booking.store, booking.context.lessons).of(program, kpi, WHOLE, today)
        for kpi in ("hires", "expert_acts")
    }
    assert (paces["hires"].total, paces["hires"].days, list(paces["hires"].last)) == (3, 5, [1, 1, 1, 0, 0])
    assert paces["expert_acts"].total == 1
    found = await booking.figures()
    values = {name: found[name]["value"] for name in ("hires", "expert_acts", "referrals", "acts")}
    assert values == {"hires": 3, "expert_acts": 1, "referrals": 0, "acts": 4}
    assert (await booking.window()).figures()["hires"]["value"] == 3
    standing = Standing.of("hires", found)
    assert standing is not None
    assert (standing.value, standing.whole) == (3, None)


async def test_what_waits_for_a_programme_that_came_meanwhile_is_booked(booking: Booking) -> None:
    await booking.take([shared(0)])
    await booking.store.programs.insert_one({"_id": PROGRAM, "name": "P", "time_zone": ZONE})
    job = next(job for job in booking.service.jobs if job.name == "waiting")
    lease = Lease(booking.service.runtime.mongo, booking.service.runtime.supervisor, "job:waiting")
    assert await lease.acquire()
    await job.run(JobContext(lease, asyncio.Event()))
    assert (await booking.figures())["shares"]["value"] == 1
    assert await booking.store.waiting.count_documents({}) == 0


EVENTS = st.lists(
    st.one_of(
        st.builds(shared, st.integers(0, 5), st.integers(0, 72)),
        st.builds(removed, st.integers(0, 5), st.integers(0, 72)),
        st.builds(
            engaged,
            st.integers(0, 5),
            st.integers(0, 72),
            kind=st.sampled_from(["click", "like", "impression"]),
            verdict=st.sampled_from(["counted", "bot", "repeat"]),
            quantity=st.integers(1, 9),
            measure=st.sampled_from(["measured", "estimated"]),
        ),
        st.builds(membership, st.sampled_from(PEOPLE), st.integers(0, 72), joined=st.booleans()),
    ),
    max_size=24,
    unique_by=lambda event: event.model_dump_json() + event.type,
)


def naive(events: Sequence[Event]) -> dict[str, int]:
    """The plain figures of the whole period, straight from the events."""
    gone = {event.post_id for event in events if isinstance(event, PostRemoved)}
    kept = {event.post_id: event for event in events if isinstance(event, PostShared) and event.post_id not in gone}
    deeds = [event for event in events if isinstance(event, EngagementRecorded) and event.measure == "measured"]
    clicks = [one for one in deeds if one.kind == "click"]
    counted = [one for one in deeds if one.verdict == "counted" and one.kind != "impression"]
    return {
        "shares": len(kept),
        "clicks_raw": sum(one.quantity for one in clicks),
        "clicks_counted": sum(one.quantity for one in clicks if one.verdict == "counted"),
        "engagements": sum(one.quantity for one in counted),
        "ambassadors_enrolled": len({event.person_id for event in events if isinstance(event, AmbassadorJoined)}),
    }


@settings(max_examples=examples(12), suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(events=EVENTS, data=st.data())
async def test_any_order_and_split_gives_what_the_events_say(
    booking: Booking, events: list[Event], data: st.DataObject
) -> None:
    found = []
    for _ in range(2):
        told = data.draw(st.permutations([*events, CREATED]))
        cuts = sorted(data.draw(st.lists(st.integers(0, len(told)), max_size=3)))
        await booking.empty()
        await booking.take(
            *(told[a:b] for a, b in zip([0, *cuts], [*cuts, len(told)], strict=True)),
            told[:5],  # a repeat that no inbox remembers any more
        )
        found.append((await booking.figures(), await booking.series("day"), await booking.series("network")))
    assert found[0] == found[1]
    assert {name: found[0][0][name]["value"] for name in naive(events)} == naive(events)


async def shown(booking: Booking) -> dict[str, Any]:
    """What the queries answer, in the form of a window."""
    days, networks, contents, countries = [await booking.series(by) for by in ("day", "network", "content", "country")]
    ranked = sorted(contents, key=lambda row: (row["clicks_counted"], row["shares"], row["key"]), reverse=True)
    return {
        "figures": await booking.figures(),
        "day": [_only(row, "shares", "clicks_counted") for row in days],
        "network": [_only(row, "shares", "clicks_counted") for row in networks],
        "content": [_only(row, "shares", "clicks_counted") for row in ranked if row["shares"] or row["clicks_counted"]],
        "country": [_only(row, "shares", "ambassadors_enrolled") for row in countries],
    }


def _only(row: dict[str, Any], *names: str) -> dict[str, Any]:
    return {name: row[name] for name in ("key", *names)}


@settings(max_examples=examples(12), suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(events=EVENTS, data=st.data())
async def test_what_is_pushed_is_what_is_answered_after_each_change(
    booking: Booking, events: list[Event], data: st.DataObject
) -> None:
    """A window that is moved on by changes, from before the first of them, equals one that reads everything."""
    await booking.empty()
    booking.context.windows.forget()
    people = [person(one).model_copy(update={"country": ("FR", "DE")[n % 2]}) for n, one in enumerate(PEOPLE)]
    await booking.take([CREATED, *people])
    opened = await booking.window()
    cuts = sorted(data.draw(st.lists(st.integers(0, len(events)), max_size=4)))
    for start, end in zip([0, *cuts], [*cuts, len(events)], strict=True):
        await booking.take(events[start:end])
        window = await booking.window()
        assert window is opened, "nothing of these events needs everything to be read again"
        found = {
            "figures": window.figures(),
            "day": window.by_day(),
            "network": window.by_network(),
            "content": window.by_content(),
            "country": window.by_country(),
        }
        assert found == await shown(booking)


async def test_a_push_reads_what_changed_and_not_what_is(booking: Booking, monkeypatch: pytest.MonkeyPatch) -> None:
    await booking.take([CREATED, *(membership(f"m{n}", 0, joined=True) for n in range(30)), shared(0)])
    assert (await booking.window()).figures()["ambassadors_enrolled"]["value"] == 30

    def everything(*_: Any, **__: Any) -> None:
        raise AssertionError("all of it was read for one change")

    for name in ("sum_totals", "sum_persons", "leaders", "published"):
        monkeypatch.setattr(booking.store, name, everything)
    await booking.take([shared(1)], [engaged(0)], [membership("m30", 0, joined=True)])
    found = (await booking.window()).figures()
    assert [found[name]["value"] for name in ("shares", "clicks_raw", "ambassadors_enrolled")] == [2, 1, 31]


async def test_the_denominator_is_who_was_enrolled_at_any_time_in_the_period(booking: Booking) -> None:
    stays: dict[str, list[tuple[int, int | None]]] = {
        "before": [(0, 10)],
        "until-the-start": [(0, 20)],
        "across": [(5, 25)],
        "still": [(25, None)],
        "after": [(30, None)],
        "twice": [(20, 21), (22, None)],
    }
    events = [
        membership(who, hours, joined=joined)
        for who, some in stays.items()
        for stay in some
        for hours, joined in zip(stay, (True, False), strict=True)
        if hours is not None
    ]
    await booking.take([CREATED, *events])
    start, end = START + timedelta(hours=20), START + timedelta(hours=30)
    enrolled = {"across", "still", "twice"}
    assert await booking.store.enrolled(PROGRAM, start, end) == enrolled
    asked = ("before", "across", "nobody")
    assert await booking.store.enrolled(PROGRAM, start, end, people=asked) == {"across"}


async def test_a_window_that_missed_changes_reads_everything_again(booking: Booking) -> None:
    await booking.take([CREATED, shared(0)])
    await booking.window()
    await booking.take([shared(1)])
    await booking.store.changes._changes.delete_many({})
    assert (await booking.window()).figures()["shares"]["value"] == 2


async def test_who_keeps_out_of_named_statistics_counts_in_totals_only(booking: Booking) -> None:
    team = [f"t{n}" for n in range(6)]
    await booking.take([CREATED, *(person(name, "Big") for name in team[1:])])
    await booking.take([person("t0", "Big").model_copy(update={"hidden_from_statistics": True})])
    await booking.take([membership(name, 0, joined=True) for name in team])
    post = shared(0).model_copy(update={"ambassador_id": "t0", "post_id": "own"})
    await booking.take([post])
    whole = await booking.figures()
    assert (whole["shares"]["value"], whole["ambassadors_enrolled"]["value"]) == (1, 6)
    for by, key in (("team", "Big"), ("country", "FR")):
        found = await booking.figures(part=Slice(**{by: key}))
        assert (found["shares"]["value"], found["ambassadors_enrolled"]["value"]) == (0, 5), by
        rows = [(row["key"], row["shares"], row["ambassadors_enrolled"]) for row in await booking.series(by)]
        assert rows == [(None, 1, 6)], "whoever is named neither alone nor by the difference to the whole"
    rows = [(row["key"], row["shares"], row["ambassadors_enrolled"]) for row in (await booking.window()).by_country()]
    assert rows == [(None, 1, 6)]
