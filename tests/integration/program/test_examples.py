"""Posts that worked on real servers: nobody's post is shown without their yes, and no longer than it holds."""

from __future__ import annotations

from typing import Any

from chassis.service import Service
from herald_contracts import PostRemoved
from services.program.projections import project_removed_posts
from tests.integration.consumers import received
from tests.integration.program.conftest import ProgramHarness

WHY = {"fr": "Un fait précis.", "en": "One precise fact."}
WORDS: dict[str, Any] = {"text": "Half the water.", "network": "linkedin", "language": "en", "why": WHY}


def post(id: str, *, named: bool) -> dict[str, Any]:
    return {"post_id": id, "text": f"Mine: {id}", "network": "linkedin", "language": "fr", "named": named}


async def _joined(program: ProgramHarness, *who: str) -> str:
    id = await program.create_program(open=True)
    for one in who:
        await program.sign_in(one)
        await program.ok(one, "POST", f"/programs/{id}/join", {"consent_version": 1})
    return f"/programs/{id}"


async def _read(program: ProgramHarness, where: str) -> list[tuple[str, str | None]]:
    found = await program.ok("bea", "GET", f"{where}/examples/shown", params={"language": "en"})
    assert found["total"] >= len(found["items"])
    return [(one["text"], one["author_id"]) for one in found["items"]]


async def test_a_post_is_shown_as_its_author_wants_and_for_as_long(program: ProgramHarness, service: Service) -> None:
    where = await _joined(program, "ada", "bea", "cleo")
    of = f"{where}/examples"
    assert await program.refused("max", "POST", f"{of}/offers", post("x", named=True)) == (409, "not-a-member")
    offers = [
        ("ada", await program.ok("ada", "POST", f"{of}/offers", post("one", named=False))),
        ("ada", await program.ok("ada", "POST", f"{of}/offers", post("two", named=False))),
        ("cleo", await program.ok("cleo", "POST", f"{of}/offers", post("three", named=True))),
    ]
    assert await program.refused("bea", "GET", of) == (403, "role-missing")
    assert await _read(program, where) == []
    for _, one in offers:
        path = f"{of}/{one['id']}"
        assert await program.refused("max", "POST", f"{path}/show") == (422, "invalid")
        match = {"If-Match": "*"}
        words = {"why": WHY, "text": "Better words."}
        assert await program.refused("max", "PUT", path, words, headers=match) == (409, "example-of-author")
        await program.ok("max", "PUT", path, {"why": WHY}, headers=match)
        await program.ok("max", "POST", f"{path}/show")
        assert await program.refused("max", "PUT", path, {"why": WHY}, headers=match) == (409, "example-shown")
    cleo = program.ids["cleo"]
    assert set(await _read(program, where)) == {("Mine: one", None), ("Mine: two", None), ("Mine: three", cleo)}

    await program.ok("cleo", "POST", f"{of}/offers", post("three", named=False))  # named no more, and at once
    assert ("Mine: three", None) in await _read(program, where)
    ones = offers[0][1]["id"]
    assert await program.refused("bea", "POST", f"{of}/{ones}/withdraw") == (404, "not-found")
    assert (await program.call("ada", "POST", f"{of}/{ones}/withdraw")).status_code == 204
    told = {"post_id": "two", "program_id": where.rpartition("/")[2], "content_id": "c", "network": "linkedin"}
    gone = {**told, "reason": "ambassador", "occurred_at": "2026-03-02T09:00:00Z"}
    context: Any = service.context
    for author, left in (("bea", 2), ("ada", 1)):  # of somebody else's post of that name nothing is known here
        event: Any = received(PostRemoved.model_validate({**gone, "ambassador_id": program.ids[author]}))
        await context.mongo.transact(lambda tx, event=event: project_removed_posts(context, tx, [event]))
        assert len(await _read(program, where)) == left
    await program.ok("cleo", "POST", f"{where}/leave")
    assert await _read(program, where) == []
    assert (await program.ok("max", "GET", of))["items"] == []


async def test_an_example_is_written_beside_a_lesson_and_taken_back(program: ProgramHarness) -> None:
    where = await _joined(program, "bea")
    of = f"{where}/examples"
    lesson = (
        await program.ok("max", "POST", f"{where}/lessons", {"texts": {"en": {"title": "First", "text": "Two taps."}}})
    )["id"]
    refused = {**WORDS, "lesson_id": "nowhere"}
    assert await program.refused("max", "POST", of, refused) == (422, "invalid")
    one = await program.ok("max", "POST", of, {**WORDS, "lesson_id": lesson})
    path = f"{of}/{one['id']}"
    await program.ok("max", "POST", f"{path}/show")
    found = await program.ok("bea", "GET", f"{of}/shown", params={"lesson_id": lesson, "language": "fr-CA"})
    assert [(one["why"], one["why_language"]) for one in found["items"]] == [(WHY["fr"], "fr")]
    found = await program.ok("bea", "GET", f"{of}/shown", params={"lesson_id": "other"})
    assert (found["items"], found["total"]) == ([], 0)
    await program.ok("max", "POST", f"{path}/retire")
    assert await _read(program, where) == []
    assert [one["state"] for one in (await program.ok("max", "GET", of, params={"query": "wat"}))["items"]] == [
        "retired"
    ]
    acts = [one for one in await program.acts() if one.object_type == "example"]
    assert [one.act for one in acts] == ["create_example", "show_example", "retire_example"]
    assert all(change.after is None for one in acts for change in one.changes if change.field == "text")
