"""What sharing keeps of others' facts: programmes with their guidelines and required lessons, and content. Only what is
newer is taken."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from chassis.consumer import Received
from chassis.mongo import Transaction
from herald_contracts import (
    ContentPublished,
    ContentRetired,
    ContentUpdated,
    GuidelineAcknowledged,
    GuidelinePublished,
    LessonCompleted,
    LessonPublished,
    LessonRetired,
    ProgramArchived,
    ProgramCreated,
    ProgramRestored,
)
from services.sharing.context import Context
from services.sharing.domain.posts import Content, RequiredLesson, Suggestion, Variant


async def project_programs(
    context: Context,
    tx: Transaction,
    batch: Sequence[Received[ProgramCreated | GuidelinePublished | GuidelineAcknowledged]],
) -> None:
    """Names of programmes, the version of their guidelines that must be acknowledged, and who acknowledged which.

    A name is set once; of versions the highest holds, so that order does not matter.
    """
    names: dict[str, str] = {}
    required: dict[str, int] = {}
    acknowledged: dict[tuple[str, str], int] = {}
    for event in batch:
        match event.data:
            case ProgramCreated(program_id=id, name=name):
                names[id] = name
            case GuidelinePublished(program_id=id, version=version, material=material) if material or version == 1:
                required[id] = max(version, required.get(id, 0))
            case GuidelineAcknowledged(program_id=id, person_id=person, version=version):
                acknowledged[person, id] = max(version, acknowledged.get((person, id), 0))
    await context.store.projections.put_programs(names, required, tx)
    await context.store.projections.put_acknowledgements(acknowledged, tx)


async def project_lessons(
    context: Context, tx: Transaction, batch: Sequence[Received[LessonPublished | LessonRetired | LessonCompleted]]
) -> None:
    """What lessons are required for, by their latest revision, and who completed which."""
    required: dict[str, RequiredLesson] = {}
    completed: set[tuple[str, str]] = set()
    for event in batch:
        match event.data:
            case LessonCompleted(person_id=person, lesson_id=id):
                completed.add((person, id))
            case LessonPublished() | LessonRetired() as fact:
                rights = fact.required_for if isinstance(fact, LessonPublished) else ()
                found = RequiredLesson(fact.lesson_id, fact.program_id, fact.revision, frozenset(rights))
                if found.id not in required or found.revision > required[found.id].revision:
                    required[found.id] = found
    await context.store.projections.put_lessons(required.values(), tx)
    await context.store.projections.put_completions(completed, tx)


async def project_archive(
    context: Context, tx: Transaction, batch: Sequence[Received[ProgramArchived | ProgramRestored]]
) -> None:
    """Which programmes are over, by the latest fact on each."""
    for event in batch:
        archived = isinstance(event.data, ProgramArchived)
        await context.store.projections.put_archived(event.data.program_id, event.data.revision, archived, tx)


async def project_contents(
    context: Context, tx: Transaction, batch: Sequence[Received[ContentPublished | ContentUpdated | ContentRetired]]
) -> None:
    """Items by their latest revision."""
    facts = [event.data for event in batch]
    known = await context.store.projections.contents({fact.content_id for fact in facts}, tx)
    for fact in facts:
        known[fact.content_id] = projected(fact, known.get(fact.content_id))
    await context.store.projections.put_contents(known.values(), tx)


def projected(fact: ContentPublished | ContentUpdated | ContentRetired, known: Content | None) -> Content:
    """The item with what is newer in a fact: whether it is published, and how it is described, each by its revision."""
    content = known or Content(fact.content_id, fact.program_id, 0, published=False, shareable=False, url="")
    if fact.revision > content.revision:
        content = replace(content, revision=fact.revision, published=not isinstance(fact, ContentRetired))
    if isinstance(fact, ContentRetired) or fact.revision <= content.described:
        return content
    return replace(
        content,
        described=fact.revision,
        shareable=fact.shareable,
        url=fact.url,
        variants=tuple(Variant(one.language, one.title, one.url) for one in fact.variants),
        captions=tuple(Suggestion(one.caption_id, one.language, one.network, one.text) for one in fact.captions),
        countries=frozenset(fact.targeting.countries),
        teams=frozenset(fact.targeting.teams),
        sites=frozenset(fact.targeting.sites),
        expires_at=fact.expires_at,
    )
