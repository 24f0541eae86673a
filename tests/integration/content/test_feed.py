"""A person's feed on real servers: what they may see, in their words, at the cost of a page."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

from chassis.ids import new_id
from services.content.domain.items import Targeting, audiences_of
from services.content.store import Store
from tests.integration.content.harness import PROGRAM, START, ContentHarness, order, problem


async def test_a_person_sees_what_is_published_in_their_programmes_for_their_country_and_team(
    content: ContentHarness,
) -> None:
    await content.know("ann", "ambassador", programs=(PROGRAM,), country="FR", team="Sales", site="Lyon")
    await content.know("ben", "ambassador", programs=(PROGRAM, "programme-2"), country="DE", team="R&D")
    await content.know("eve", "ambassador")
    for name, countries, teams, sites in [
        ("all", [], [], []),
        ("fr", ["FR", "BE"], [], []),
        ("sales", [], ["Sales"], []),
        ("fr sales", ["FR"], ["Sales", "R&D"], []),
        ("de sales", ["DE"], ["Sales"], []),
        ("lyon", [], [], ["Lyon", "Paris"]),
        ("fr lyon", ["FR"], [], ["Lyon"]),
        ("fr paris", ["FR"], [], ["Paris"]),
    ]:
        content.clock.advance(timedelta(seconds=1))
        targeting = {"countries": countries, "teams": teams, "sites": sites}
        await content.published(variants=[{"language": "en", "title": name}], targeting=targeting)
    content.clock.advance(timedelta(seconds=1))
    await content.published(variants=[{"language": "en", "title": "two"}], program_id="programme-2")
    await content.post("/items", order("draft"))
    assert await content.titles("ann") == ["fr lyon", "lyon", "fr sales", "sales", "fr", "all"]
    assert await content.titles("ben") == ["two", "all"]
    assert await content.titles("eve") == []


async def test_what_a_person_may_not_see_is_not_there_for_them(content: ContentHarness) -> None:
    await content.know("ann", "ambassador", programs=(PROGRAM,), country="FR")
    german = await content.published(targeting={"countries": ["DE"], "teams": []})
    other = await content.published(program_id="programme-2")
    draft = await content.post("/items", order())
    for item in (german, other, draft):
        problem(await content.call("GET", f"/feed/{item['id']}", by="ann"), 404, "not-found")
    mine = await content.published()
    assert (await content.get(f"/feed/{mine['id']}", by="ann"))["id"] == mine["id"]
    await content.post(f"/items/{mine['id']}/retire")
    problem(await content.call("GET", f"/feed/{mine['id']}", by="ann"), 404, "not-found")
    assert await content.titles("ann") == []


async def test_an_item_is_gone_from_the_moment_it_expires_whenever_the_job_runs(content: ContentHarness) -> None:
    await content.know("ann", "ambassador", programs=(PROGRAM,))
    item = await content.published(expires_at=(START + timedelta(minutes=5)).isoformat())
    assert await content.titles("ann") == ["Title"]
    content.clock.advance(timedelta(minutes=5))
    assert await content.titles("ann") == []
    problem(await content.call("GET", f"/feed/{item['id']}", by="ann"), 404, "not-found")


async def test_pinned_first_then_newest_and_pages_do_not_shift(content: ContentHarness) -> None:
    await content.know("ann", "ambassador", programs=(PROGRAM,))
    for number in range(6):
        content.clock.advance(timedelta(seconds=1))
        await content.published(variants=[{"language": "en", "title": str(number)}], pinned=number == 2)
    first = await content.get("/feed", by="ann", params={"limit": 3})
    content.clock.advance(timedelta(seconds=1))
    await content.published(variants=[{"language": "en", "title": "meanwhile"}])
    second = await content.get("/feed", by="ann", params={"limit": 3, "cursor": first["next"]})
    assert [item["title"] for item in (*first["items"], *second["items"])] == ["2", "5", "4", "3", "1", "0"]
    assert second["next"] is None
    assert (first["total"], second["total"]) == (6, None)
    found = await content.get("/feed", by="ann", params={"query": "3"})
    assert ([item["title"] for item in found["items"]], found["total"]) == (["3"], 1)


async def test_a_person_is_served_in_their_language_with_captions_for_the_network(content: ContentHarness) -> None:
    await content.know("ann", "ambassador", programs=(PROGRAM,), locale="fr-CA")
    await content.published(
        variants=[
            {"language": "en", "title": "Hello", "summary": "s"},
            {"language": "fr", "title": "Bonjour", "url": "https://www.example.com/fr"},
        ],
        captions=[
            {"language": "fr", "text": "Partout"},
            {"language": "fr", "network": "x", "text": "Sur X 🎉"},
            {"language": "fr", "network": "email", "text": "Par courriel"},
            {"language": "en", "text": "Everywhere"},
        ],
        shareable=False,
    )
    [item] = (await content.get("/feed", by="ann", params={"network": "x"}))["items"]
    assert (item["title"], item["language"], item["url"]) == ("Bonjour", "fr", "https://www.example.com/fr")
    assert [one["text"] for one in item["captions"]] == ["Sur X 🎉", "Partout"]
    assert item["shareable"] is False
    english = await content.get(f"/feed/{item['id']}", by="ann", params={"language": "en"})
    assert [one["text"] for one in english["captions"]] == ["Everywhere"]


async def test_who_is_unknown_or_gone_sees_nothing(content: ContentHarness) -> None:
    await content.know("gone", "ambassador", programs=(PROGRAM,), active=False)
    problem(await content.call("GET", "/feed", by="gone"), 403, "inactive")
    problem(await content.call("GET", "/feed", by="stranger"), 403, "unknown-person")


async def test_a_page_costs_what_it_shows_however_much_is_meant_for_others(content: ContentHarness) -> None:
    """3,000 items of which one in fifty is for the person; the index gives them in order, without sorting."""
    mongo = content.service.runtime.mongo
    store = Store(mongo)
    template = await store.get_item((await content.published())["id"])
    others = Targeting(("DE",), ("Sales",))
    crowd = [
        replace(
            template,
            id=new_id(),
            program_id=f"programme-{number % 3}",
            published_at=START + timedelta(seconds=number),
            copy=template.copy if number % 50 == 0 else replace(template.copy, targeting=others),
        )
        for number in range(3000)
    ]
    await mongo.transact(lambda tx: store.insert_items(crowd, tx))
    await mongo.db.command("profile", 2)
    keys = audiences_of("FR", "Sales", "Lyon")
    programs = [f"programme-{n}" for n in range(3)]
    first, following = await store.feed_page(programs, keys, START, None, 20)
    second, _ = await store.feed_page(programs, keys, START, following, 20)
    await mongo.db.command("profile", 0)
    mine = sorted((item for item in crowd if item.copy is template.copy), key=lambda item: item.published_at or START)
    assert [item.id for item in (*first, *second)] == [item.id for item in mine[:-41:-1]]
    queries = await mongo.db["system.profile"].find({"op": "query", "command.find": "items"}).to_list()
    await mongo.db.drop_collection("system.profile")
    assert len(queries) == 2
    for query in queries:
        assert query["docsExamined"] <= 21
        assert query["keysExamined"] <= 21 + 2 * len(keys) * len(programs)
        assert not query.get("hasSortStage", False)
