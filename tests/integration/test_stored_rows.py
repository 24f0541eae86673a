"""Code of two versions of a service on one database: rows of the newer are read, changed and keep what is theirs."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import replace
from datetime import date
from functools import partial
from typing import Any

import pytest

from chassis.mongo import Document, Transaction
from services.content.domain.items import Caption, Copy, Item
from services.content.domain.items import Variant as ItemVariant
from services.content.domain.sources import Source
from services.gamification.domain.ledger import Entry
from services.metrics.domain.enrolments import MembershipChange
from services.program.domain.objectives import Objective
from services.program.domain.people import Membership, Person
from services.program.domain.programs import Program
from services.sharing.domain.guardrails import ForbiddenPhrase, Guardrails
from services.sharing.domain.posts import Content, Post, Suggestion, Variant
from tests.infra import Infra
from tests.integration.consumers import START, services

pytestmark = pytest.mark.usefixtures("borrowed")
NEWER = {"since": "the next version", "list": [1, 2]}
Context = Any
Act = Callable[[Context, Transaction], Awaitable[object]]

PERSON = Person(
    id="ann",
    name="Ann",
    country="FR",
    team="Sales",
    locale="fr",
    email="ann@example.com",
    memberships=(Membership("prog", "joined", START), Membership("other", "left", START)),
    created_at=START,
    updated_at=START,
)
PROGRAM = Program("prog", 1, "P", "Europe/Paris", ("fr", "en"), True, 1, 1, 1, START, START)
OBJECTIVE = Objective("goal", "prog", 1, "awareness", "shares", 0, 10, date(2026, 3, 1), date(2026, 3, 9), START)
ITEM = Item(
    "item",
    "prog",
    Copy("article", "jobs", "https://example.com", (ItemVariant("en", "T"),), (Caption("c", "en", "Text"),)),
    START,
    START,
)
SOURCE = Source("source", "prog", "en", "review", "jobs", "ann", START, url="https://example.com/feed")
POST = Post("post", 1, "ann", "prog", "item", "x", "en", "T", None, "Text", True, "code-1", "https://e.example", START)
CONTENT = Content(
    "item",
    "prog",
    1,
    True,
    True,
    "https://example.com",
    variants=(Variant("en", "T"),),
    captions=(Suggestion("c", "en", None, "Text"),),
)
GUARDRAILS = Guardrails("prog", 1, {"*": {"en": "#ad"}}, (ForbiddenPhrase("never"),))
ENTRY = Entry(
    "entry",
    "ann",
    "prog",
    10,
    1,
    10,
    "share",
    1,
    "share",
    "cause",
    "herald.PostShared.v1",
    "post",
    "item",
    "x",
    date(2026, 3, 1),
    START,
)


async def leave(context: Context, tx: Transaction) -> object:
    """As old code does: it reads, changes what it knows, and writes."""
    person = await context.people.get("ann", tx)
    left = replace(person.memberships[0], status="left")
    changed = replace(person, version=2, team="Care", memberships=(left, *person.memberships[1:]))
    return await context.people.write(tx, changed=[(person, changed)])


async def rename(context: Context, tx: Transaction) -> object:
    program = await context.programs.get("prog", tx)
    return await context.programs.save(program, replace(program, version=2, name="Q"), tx)


async def aim_higher(context: Context, tx: Transaction) -> object:
    objective = await context.objectives.get("prog", "goal", tx)
    return await context.objectives.save(objective, replace(objective, version=2, target=20), tx)


async def publish(context: Context, tx: Transaction) -> object:
    item = await context.store.get_item("item", tx)
    return await context.store.save_item(replace(item, version=2, state="published", published_at=START), 1, tx)


async def look(context: Context, tx: Transaction) -> object:
    source = await context.store.get_source("source", tx)
    return await context.store.save_source(replace(source, version=2, failures=1), 1, tx)


async def take_back(context: Context, tx: Transaction) -> object:
    post = await context.store.posts.get("post", tx=tx)
    await context.store.posts.count({"post": {"clicks.bot": 1}}, tx)
    return await context.store.posts.replace(replace(post, version=2, removed_at=START), tx)


async def retire(context: Context, tx: Transaction) -> object:
    known = await context.store.projections.contents(["item"], tx)
    return await context.store.projections.put_contents([replace(known["item"], revision=2, published=False)], tx)


async def forbid(context: Context, tx: Transaction) -> object:
    rules = await context.store.guardrails.get("prog", tx)
    return await context.store.guardrails.put(replace(rules, version=2), rules, tx)


async def change_rules(context: Context, tx: Transaction) -> object:
    programme = await context.programs.get("prog", tx)
    return await context.programs.append_rules("prog", replace(programme.latest, version=2), tx)


async def read_ledger(context: Context, tx: Transaction) -> object:
    found = await context.ledger.page("prog", "ann", before=None, limit=9)
    assert found == [ENTRY]
    return found


async def join(context: Context, tx: Transaction) -> object:
    return await context.store.add_membership_changes({("prog", "ann"): [MembershipChange(9.0, "later", False)]}, tx)


MEMBERSHIPS = ("memberships.0", "memberships.1")
CASES: list[tuple[str, str, Act, Act, tuple[str, ...]]] = [
    (
        "program",
        "people",
        lambda c, tx: c.people.write(tx, created=[PERSON]),
        leave,
        MEMBERSHIPS,
    ),
    ("program", "programs", lambda c, tx: c.programs.insert(PROGRAM, tx), rename, ()),
    ("program", "objectives", lambda c, tx: c.objectives.insert(OBJECTIVE, tx), aim_higher, ()),
    ("content", "items", lambda c, tx: c.store.insert_items([ITEM], tx), publish, ("copy", "copy.targeting")),
    ("content", "sources", lambda c, tx: c.store.insert_source(SOURCE, tx), look, ()),
    ("sharing", "posts", lambda c, tx: c.store.posts.add(POST, tx), take_back, ()),
    ("sharing", "contents", lambda c, tx: c.store.projections.put_contents([CONTENT], tx), retire, ()),
    ("sharing", "guardrails", lambda c, tx: c.store.guardrails.put(GUARDRAILS, GUARDRAILS, tx), forbid, ()),
    (
        "gamification",
        "programs",
        lambda c, tx: c.programs.add("prog", "Europe/Paris", tx),
        change_rules,
        ("rule_sets.0", "rule_sets.0.rules.0"),
    ),
    ("gamification", "ledger", lambda c, tx: c.ledger.add([ENTRY], tx), read_ledger, ()),
    (
        "metrics",
        "enrolments",
        lambda c, tx: c.store.add_membership_changes({("prog", "ann"): [MembershipChange(1.0, "first", True)]}, tx),
        join,
        (),
    ),
]

IDS = [f"{one[0]}-{one[1]}" for one in CASES]


def at(row: Any, path: str) -> Any:
    for step in filter(None, path.split(".")):
        row = row[int(step) if isinstance(row, list) else step]
    return row


@pytest.mark.parametrize(("name", "collection", "write", "change", "paths"), CASES, ids=IDS)
async def test_old_code_changes_a_row_of_newer_code(
    infra: Infra, namespace: str, name: str, collection: str, write: Act, change: Act, paths: tuple[str, ...]
) -> None:
    async with services(infra, namespace, name) as found:
        [service] = found
        mongo = service.runtime.mongo
        rows = mongo.db[collection]
        await mongo.transact(partial(write, service.context))
        before = await rows.find_one({})
        assert before is not None
        everywhere = ("", *paths)
        changes: Document = {f"{path}.newer".lstrip("."): NEWER for path in everywhere}
        await rows.update_one({"_id": before["_id"]}, {"$set": changes})
        newer = await rows.find_one({"_id": before["_id"]})
        await mongo.transact(partial(change, service.context))
        after = await rows.find_one({"_id": before["_id"]})
        assert after is not None
        assert [at(after, path)["newer"] for path in everywhere] == [NEWER] * len(everywhere)
        assert (after == newer) == (change is read_ledger)


async def test_new_code_reads_a_row_of_older_code(infra: Infra, namespace: str) -> None:
    """What this version added has a default: rows of before it are read as if it had been there."""
    async with services(infra, namespace, "program") as [service]:
        mongo = service.runtime.mongo
        await mongo.transact(lambda tx: service.context.people.write(tx, created=[PERSON]))
        optional = ("job", "level", "site", "leader", "locale_chosen", "memberships.0.acknowledged")
        older: Document = dict.fromkeys(optional, "")
        await mongo.db["people"].update_one({"_id": "ann"}, {"$unset": older})
        assert await service.context.people.get("ann") == PERSON
