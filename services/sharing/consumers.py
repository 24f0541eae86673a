"""Events, others' and our own clicks, to what sharing makes of them. Cost is by batch, not by event."""

from __future__ import annotations

from collections.abc import Sequence
from typing import cast

from chassis.consumer import Consumer, Received
from chassis.mongo import Document, Transaction
from chassis.principals import PrincipalStore
from herald_contracts import (
    ContentPublished,
    ContentRetired,
    ContentUpdated,
    Event,
    GuidelineAcknowledged,
    GuidelinePublished,
    LinkClicked,
    ProgramCreated,
)
from services.sharing import commands
from services.sharing.context import Sharing
from services.sharing.domain.posts import Content, Suggestion, Variant

Batch = Sequence[Received[Event]]


def consumer(context: Sharing) -> Consumer:
    """The one consumer of this service."""

    async def handle(batch: Batch, tx: Transaction) -> None:
        await context.principals.apply(batch, tx)
        await _learn_programs(context, batch, tx)
        await _learn_contents(context, batch, tx)
        clicks = [cast("Received[LinkClicked]", event) for event in batch if isinstance(event.data, LinkClicked)]
        if clicks:
            await commands.record_clicks(context, tx, clicks)

    learned = (
        ContentPublished,
        ContentUpdated,
        ContentRetired,
        ProgramCreated,
        GuidelinePublished,
        GuidelineAcknowledged,
    )
    return Consumer([*PrincipalStore.events, *learned, LinkClicked], handle)


async def _learn_programs(context: Sharing, batch: Batch, tx: Transaction) -> None:
    programs: dict[str, Document] = {}
    acknowledged: dict[tuple[str, str], int] = {}
    for event in batch:
        match event.data:
            case ProgramCreated(program_id=id, name=name):
                programs.setdefault(id, {}).setdefault("$set", {})["name"] = name
            case GuidelinePublished(program_id=id, version=version, material=material) if material or version == 1:
                highest = programs.setdefault(id, {}).setdefault("$max", {})
                highest["required"] = max(version, highest.get("required", 0))
            case GuidelineAcknowledged(program_id=id, person_id=person, version=version):
                acknowledged[person, id] = max(version, acknowledged.get((person, id), 0))
            case _:
                continue
    await context.store.knowledge.put_programs(programs, tx)
    await context.store.knowledge.put_acknowledgements(acknowledged, tx)


async def _learn_contents(context: Sharing, batch: Batch, tx: Transaction) -> None:
    facts = [
        event.data for event in batch if isinstance(event.data, ContentPublished | ContentUpdated | ContentRetired)
    ]
    if not facts:
        return
    known = await context.store.knowledge.contents({fact.content_id for fact in facts}, tx)
    changed: dict[str, Content] = {}
    for fact in facts:
        present = changed.get(fact.content_id) or known.get(fact.content_id)
        if present is not None and present.revision >= fact.revision:
            continue
        changed[fact.content_id] = _retired(fact, present) if isinstance(fact, ContentRetired) else _stated(fact)
    await context.store.knowledge.put_contents(changed.values(), tx)


def _stated(fact: ContentPublished | ContentUpdated) -> Content:
    return Content(
        id=fact.content_id,
        program_id=fact.program_id,
        revision=fact.revision,
        published=True,
        shareable=fact.shareable,
        url=fact.url,
        variants=tuple(Variant(one.language, one.title, one.url) for one in fact.variants),
        captions=tuple(Suggestion(one.caption_id, one.language, one.network, one.text) for one in fact.captions),
        countries=frozenset(fact.targeting.countries),
        teams=frozenset(fact.targeting.teams),
        expires_at=fact.expires_at,
    )


def _retired(fact: ContentRetired, present: Content | None) -> Content:
    """What is retired keeps what was known of it; of what was never seen, that it is not to be shared."""
    return Content(
        id=fact.content_id,
        program_id=fact.program_id,
        revision=fact.revision,
        published=False,
        shareable=False,
        url=present.url if present else "",
        variants=present.variants if present else (),
        captions=present.captions if present else (),
        countries=present.countries if present else frozenset(),
        teams=present.teams if present else frozenset(),
    )
