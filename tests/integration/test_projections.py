"""Whatever order events come in again, services know the same; and no word or record of a release upsets them."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import date, datetime, timedelta
from functools import partial
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from herald.contracts.examples import EXAMPLES, Example, load_examples
from herald.contracts.released import releases
from herald.contracts.schemas import event_schema
from herald_contracts import (
    ActRecorded,
    ActWithdrawn,
    AdministrativeActRecorded,
    AmbassadorJoined,
    AmbassadorLeft,
    AmbassadorPaused,
    AmbassadorResumed,
    CohortJoined,
    CohortLeft,
    CohortStarted,
    ContentPublished,
    ContentRetired,
    ContentUpdated,
    EngagementRecorded,
    Event,
    GuidelineAcknowledged,
    GuidelinePublished,
    LessonCompleted,
    LessonPublished,
    LessonRetired,
    LinkClicked,
    ObjectiveSet,
    PersonDeactivated,
    PersonProvisioned,
    PersonUpdated,
    PostRemoved,
    PostShared,
    ProgramArchived,
    ProgramCreated,
    ProgramRestored,
    SurveyClosed,
    decode,
)
from herald_contracts.words import KNOWN_VALUES
from services.sharing.domain.posts import Post
from tests.fuzz import examples
from tests.infra import Infra
from tests.integration.consumers import START, Applied, consumers, received

SERVICES = ("content", "gamification", "metrics", "program", "sharing")
PROGRAM, PERSON, CONTENT = "prog", "ann", "item"
NO_PROJECTION = {LinkClicked.type}
"""Changes nothing that is kept of others: each is judged once and becomes an EngagementRecorded."""


def at(hours: int) -> datetime:
    return START + timedelta(hours=hours)


def person(revision: int, cls: type[PersonProvisioned | PersonUpdated] = PersonUpdated, **state: Any) -> Event:
    fields = {
        "person_id": PERSON,
        "revision": revision,
        "accounts": ["0" * 64],
        "roles": ["ambassador"],
        "active": True,
        "country": "FR",
        "team": f"Team {revision}",
        "locale": "fr",
        "occurred_at": at(revision),
        **state,
    }
    return cls.model_validate({**fields, **({"origin": "import"} if cls is PersonProvisioned else {})})


def joined(revision: int | None, hours: int) -> Event:
    ids = {"person_id": PERSON, "program_id": PROGRAM}
    return AmbassadorJoined(**ids, consent_version=1, revision=revision, occurred_at=at(hours))


def left(revision: int | None, hours: int) -> Event:
    ids = {"person_id": PERSON, "program_id": PROGRAM}
    return AmbassadorLeft(**ids, reason="left", revision=revision, occurred_at=at(hours))


def on_a_break(cls: type[AmbassadorPaused | AmbassadorResumed], revision: int, hours: int) -> Event:
    return cls(person_id=PERSON, program_id=PROGRAM, revision=revision, occurred_at=at(hours))


def content(cls: type[ContentPublished | ContentUpdated], revision: int) -> Event:
    return cls.model_validate(
        {
            "content_id": CONTENT,
            "program_id": PROGRAM,
            "revision": revision,
            "occurred_at": at(revision),
            "kind": "article",
            "category": "jobs",
            "url": f"https://example.com/{revision}",
            "shareable": revision % 2 == 1,
            "variants": [{"language": "en", "title": f"Title {revision}"}],
        }
    )


def objective(revision: int) -> Event:
    return ObjectiveSet(
        program_id=PROGRAM,
        objective_id="goal",
        revision=revision,
        use_case="awareness",
        kpi="shares",
        baseline=0,
        target=10 * revision,
        starts_on=date(2026, 3, 1),
        ends_on=date(2026, 3, 31),
        occurred_at=at(revision),
    )


def lesson(revision: int, *rights: str) -> Event:
    ids = {"program_id": PROGRAM, "lesson_id": "lesson"}
    of = {**ids, "revision": revision, "edition": revision, "languages": ["en"], "required_for": [*rights]}
    return LessonPublished.model_validate({**of, "occurred_at": at(revision)})


def of_post(post: str) -> dict[str, Any]:
    ids = {"post_id": post, "ambassador_id": PERSON, "program_id": PROGRAM, "content_id": CONTENT}
    return {**ids, "network": "linkedin", "occurred_at": at(5)}


def shared(post: str) -> Event:
    return PostShared(**of_post(post), language="en", edited=True, link_code=f"code-{post}", method="dialog")


def engaged(post: str, kind: str) -> Event:
    told = {"kind": kind, "quantity": 2, "verdict": "counted", "measure": "measured"}
    return EngagementRecorded.model_validate({**of_post(post), **told})


def acted(id: str, act: str) -> ActRecorded:
    names = {"act_id": id, "ambassador_id": PERSON, "program_id": PROGRAM, "act": act, "object_id": f"of-{id}"}
    return ActRecorded.model_validate({**names, "occurred_at": at(5)})


AT_1 = {"occurred_at": at(1)}
COHORT = {"program_id": PROGRAM, "wave_id": "pilot"}
CLOSED = {"program_id": PROGRAM, "survey_id": "pulse", "opens_on": date(2026, 3, 2), "closes_on": date(2026, 3, 3)}
HISTORY: list[Event] = [
    CohortStarted.model_validate({**COHORT, "revision": 2, "starts_on": "2026-03-02", "ends_on": "2026-04-12"} | AT_1),
    CohortJoined.model_validate({**COHORT, "person_id": PERSON} | AT_1),
    CohortLeft.model_validate({**COHORT, "person_id": PERSON, "reason": "left", "occurred_at": at(2)}),
    SurveyClosed.model_validate({**CLOSED, "answers": 8, "enps": 37.5, "means": [3.63]} | AT_1),
    acted("a1", "talk"),
    acted("a2", "hire"),
    ActWithdrawn(**acted("a1", "talk").model_dump(), reason="manager"),
    ProgramCreated(program_id=PROGRAM, name="P", time_zone="Europe/Paris", languages=["en"], occurred_at=at(0)),
    objective(1),
    objective(2),
    ProgramArchived(program_id=PROGRAM, revision=2, occurred_at=at(2)),
    ProgramRestored(program_id=PROGRAM, revision=3, occurred_at=at(3)),
    ProgramArchived(program_id=PROGRAM, revision=4, occurred_at=at(4)),
    GuidelinePublished(program_id=PROGRAM, version=1, material=True, languages=["en"], occurred_at=at(1)),
    GuidelinePublished(program_id=PROGRAM, version=2, material=False, languages=["en"], occurred_at=at(2)),
    GuidelinePublished(program_id=PROGRAM, version=3, material=True, languages=["en"], occurred_at=at(3)),
    GuidelineAcknowledged(program_id=PROGRAM, person_id=PERSON, version=1, occurred_at=at(4)),
    GuidelineAcknowledged(program_id=PROGRAM, person_id=PERSON, version=3, occurred_at=at(5)),
    lesson(1, "share"),
    lesson(2),
    LessonRetired(program_id=PROGRAM, lesson_id="lesson", revision=3, occurred_at=at(3)),
    lesson(4, "share"),
    LessonCompleted(
        program_id=PROGRAM, person_id=PERSON, lesson_id="lesson", edition=2, paths=["first-day"], occurred_at=at(4)
    ),
    person(1, PersonProvisioned),
    person(2),
    joined(3, 3),
    left(4, 4),
    joined(5, 5),
    on_a_break(AmbassadorPaused, 5, 5),
    on_a_break(AmbassadorResumed, 6, 6),
    person(6, roles=["ambassador", "editor"]),
    left(7, 7),
    PersonDeactivated(person_id=PERSON, revision=7, occurred_at=at(7)),
    content(ContentPublished, 1),
    content(ContentUpdated, 2),
    content(ContentUpdated, 3),
    ContentRetired(content_id=CONTENT, program_id=PROGRAM, revision=4, occurred_at=at(4), reason="editor"),
    shared("first"),
    shared("second"),
    engaged("first", "like"),
    engaged("second", "click"),
    PostRemoved(**of_post("first"), reason="ambassador"),
    AdministrativeActRecorded(
        service="content", act="publish_item", actor_id="ines", object_type="item", object_id=CONTENT, occurred_at=at(6)
    ),
]
WITHOUT_REVISIONS = [event for event in HISTORY if not isinstance(event, AmbassadorJoined | AmbassadorLeft)] + [
    joined(None, 3),
    left(None, 4),
    joined(None, 5),
    left(None, 7),
]


@pytest.fixture
async def applied(borrowed: None, infra: Infra, namespace: str) -> AsyncIterator[dict[str, Applied]]:
    async with consumers(infra, namespace) as found:
        yield found


async def test_the_history_has_every_event_that_a_service_takes(applied: dict[str, Applied]) -> None:
    assert applied.keys() == set(SERVICES)
    taken = {event.type for one in applied.values() for event in one.consumer.events}
    assert taken - NO_PROJECTION == {event.type for event in HISTORY}


@pytest.mark.parametrize("history", [HISTORY, WITHOUT_REVISIONS], ids=["by-revision", "by-time"])
@pytest.mark.parametrize("name", SERVICES)
async def test_events_in_any_place_lead_to_the_same(
    applied: dict[str, Applied], name: str, history: list[Event]
) -> None:
    one = applied[name]
    mine = [received(event, offset=offset) for offset, event in enumerate(history) if one.wants(event.type)]
    await one.take(mine)
    expected = await one.state()
    assert expected
    loop = asyncio.get_running_loop()

    async def replayed(order: list[Any]) -> dict[str, list[Any]]:
        await one.empty()
        await one.take(order)
        return await one.state()

    @settings(max_examples=examples(8), deadline=None, suppress_health_check=list(HealthCheck))
    @given(st.permutations(mine))
    def same(order: list[Any]) -> None:
        assert asyncio.run_coroutine_threadsafe(replayed(order), loop).result(60) == expected

    await asyncio.to_thread(same)


@pytest.mark.parametrize("name", SERVICES)
async def test_each_event_may_be_replayed_last(applied: dict[str, Applied], name: str) -> None:
    """As dead letters are, after all that followed on them."""
    one = applied[name]
    mine = [received(event, offset=offset) for offset, event in enumerate(HISTORY) if one.wants(event.type)]
    await one.take(mine)
    expected = await one.state()
    for event in mine:
        await one.empty()
        await one.take([*(other for other in mine if other is not event), event])
        assert await one.state() == expected, event.type


def _records() -> list[Example]:
    """Today's examples and the golden records of every release."""
    folders = [EXAMPLES, *(release / "records" for release in releases())]
    return [example for folder in folders for example in load_examples(folder)]


async def _refused(applied: dict[str, Applied], examples: list[Example]) -> list[str]:
    """Which of the records which service does not take, and why."""
    found = []
    for example in examples:
        event = decode(example.wire_headers, example.value)
        for one in applied.values():
            if not one.wants(event.type):
                continue
            await one.empty()
            if isinstance(event.data, LinkClicked):
                await one.service.runtime.mongo.transact(partial(one.service.context.store.posts.add, POST))
            try:
                await one.take([received(event.data, id=event.id)])
            except Exception as error:  # noqa: BLE001 - whatever it is, it is a finding
                found.append(f"{one.name}: {example.type} {example.name}: {error!r}")
    return found


POST = Post(
    id="post",
    version=1,
    ambassador_id=PERSON,
    program_id=PROGRAM,
    content_id=CONTENT,
    network="linkedin",
    language="en",
    title="",
    caption_id=None,
    caption="",
    edited=True,
    link_code=next(one.data["link_code"] for one in load_examples() if one.type == LinkClicked.type),
    target="https://example.com",
    shared_at=START,
)


async def test_golden_records_are_taken_by_todays_consumers(applied: dict[str, Applied]) -> None:
    assert await _refused(applied, _records()) == []


def _with_unknown_words(value: Any, schema: Any, root: Any) -> Any:
    """The same with another word wherever the schema has an open one."""
    schema = root["$defs"][schema["$ref"].rpartition("/")[2]] if "$ref" in schema else schema
    if "anyOf" in schema and value is not None:
        schema = next(one for one in schema["anyOf"] if one != {"type": "null"})
        return _with_unknown_words(value, schema, root)
    if KNOWN_VALUES in schema:
        return "a-newer-word"
    if isinstance(value, dict) and "properties" in schema:
        known = schema["properties"]
        return {name: _with_unknown_words(one, known.get(name, {}), root) for name, one in value.items()}
    if isinstance(value, list):
        return [_with_unknown_words(one, schema.get("items", {}), root) for one in value]
    return value


async def test_words_of_a_newer_version_are_taken(applied: dict[str, Applied]) -> None:
    newer = []
    for example in _records():
        schema = event_schema(Event.registry[example.type])
        newer.append(replace(example, data=_with_unknown_words(example.data, schema, schema)))
    worded = {cls.type for cls in Event.registry.values() if KNOWN_VALUES in json.dumps(event_schema(cls))}
    changed = {one.type for one, was in zip(newer, _records(), strict=True) if one.data != was.data}
    assert changed == worded
    assert await _refused(applied, newer) == []
