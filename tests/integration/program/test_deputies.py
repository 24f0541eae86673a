"""Leaders and their deputies on real servers: named, accepted, prepared, shared by the leader alone, told once."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from chassis.ids import new_id
from chassis.mongo import Transaction
from herald_contracts import PostRemoved, PostShared
from services.program.context import Context
from services.program.projections import project_posts
from tests.integration.consumers import received
from tests.integration.program.conftest import ProgramHarness

WORDS = {"language": "en", "caption": "I was in Lyon when it started."}
ANY = {"If-Match": "*"}


async def team(program: ProgramHarness) -> str:
    """A programme with the leader `lea`, and `dan` and `eve`; gives its path."""
    path = f"/programs/{await program.create_program(open=True)}"
    for who in ("lea", "dan", "eve"):
        await program.sign_in(who)
        await program.ok(who, "POST", f"{path}/join", {"consent_version": 1})
    await program.ok("root", "PATCH", f"/people/{program.ids['lea']}", {"leader": True}, headers=ANY)
    return path


async def deputy(program: ProgramHarness, path: str) -> str:
    """`dan` is the deputy of `lea`; gives the path of that."""
    named = await program.ok("lea", "POST", f"{path}/deputies", {"person": "Dan@x.example"})
    await program.ok("dan", "POST", f"{path}/deputies/{named['id']}/accept")
    return f"{path}/deputies/{named['id']}"


def post(program: ProgramHarness, path: str, who: str, content: str = "c1", **changes: Any) -> dict[str, Any]:
    now = program.service.context.clock.now()
    names = {"post_id": new_id(), "ambassador_id": program.ids[who], "program_id": path.rpartition("/")[2]}
    return {**names, "content_id": content, "network": "linkedin", "occurred_at": now, **changes}


def shared(program: ProgramHarness, path: str, who: str, content: str = "c1", **changes: Any) -> PostShared:
    more = {"language": "en", "edited": True, "link_code": "abcd1234", "method": "dialog"}
    return PostShared(**{**post(program, path, who, content), **more, **changes})


async def take(program: ProgramHarness, *events: PostShared | PostRemoved) -> None:
    context: Context = program.service.context

    async def apply(tx: Transaction) -> None:
        heard: Any = [received(one) for one in events]
        await project_posts(context, tx, heard)

    await context.mongo.transact(apply)


async def test_a_deputy_prepares_and_the_leader_shares(program: ProgramHarness) -> None:
    path = await team(program)
    assert await program.refused("dan", "POST", f"{path}/deputies", {"person": "eve@x.example"}) == (
        403,
        "not-a-leader",
    )
    nobody = await program.call("lea", "POST", f"{path}/deputies", {"person": "nobody@x.example"})
    assert (nobody.status_code, nobody.json()["errors"][0]["rule"]) == (422, "unknown")
    named = await program.ok("lea", "POST", f"{path}/deputies", {"person": "Dan@x.example"})
    assert (named["state"], named["person_id"]) == ("named", program.ids["dan"])
    assert (await program.refused("lea", "POST", f"{path}/deputies", {"person": "dan@x.example"}))[1] == (
        "already-deputy"
    )
    one = f"{path}/deputies/{named['id']}"
    assert (await program.ok("dan", "GET", f"{path}/leaders/notices"))["asked"] == 1
    assert (await program.refused("dan", "POST", f"{one}/prepared", {"content_id": "c1", **WORDS}))[1] == (
        "deputy-not-accepted"
    )
    assert await program.refused("lea", "POST", f"{one}/accept") == (403, "not-yours")
    assert (await program.refused("eve", "POST", f"{one}/accept"))[0] == 404
    for _ in range(2):
        assert (await program.ok("dan", "POST", f"{one}/accept"))["state"] == "accepted"
    for who in ("lea", "dan"):
        [seen] = (await program.ok(who, "GET", f"{path}/deputies/mine"))["items"]
        assert (seen["id"], seen["state"]) == (named["id"], "accepted")
    assert (await program.ok("eve", "GET", f"{path}/deputies/mine"))["items"] == []

    made = await program.ok("dan", "POST", f"{one}/prepared", {"content_id": "c1", **WORDS})
    assert (await program.refused("dan", "POST", f"{one}/prepared", {"content_id": "c1", **WORDS}))[1] == (
        "already-prepared"
    )
    its = f"{path}/prepared/{made['id']}"
    version = (await program.call("dan", "GET", its)).headers["etag"]
    better = {**WORDS, "caption": "Proud of Lyon."}
    assert await program.refused("dan", "PUT", its, better) == (428, "precondition-required")
    assert await program.refused("lea", "PUT", its, better, headers={"If-Match": version}) == (403, "not-yours")
    await program.ok("dan", "PUT", its, better, headers={"If-Match": version})
    assert (await program.refused("dan", "PUT", its, WORDS, headers={"If-Match": version}))[0] == 412
    assert (await program.refused("eve", "GET", its))[0] == 404
    [waits] = (await program.ok("lea", "GET", f"{path}/prepared"))["items"]
    assert (waits["caption"], waits["state"]) == ("Proud of Lyon.", "waiting")
    assert (await program.ok("lea", "GET", f"{path}/leaders/notices"))["prepared"] == 1

    await take(program, shared(program, path, "dan"))
    assert len((await program.ok("lea", "GET", f"{path}/prepared"))["items"]) == 1  # the deputy's own share is theirs
    await take(program, shared(program, path, "lea"))
    assert (await program.ok("lea", "GET", f"{path}/prepared"))["items"] == []
    assert [one["state"] for one in (await program.ok("dan", "GET", f"{path}/prepared/mine"))["items"]] == ["shared"]
    assert (await program.refused("dan", "POST", f"{its}/withdraw"))[1] == "prepared-over"


async def test_either_ends_it_and_leaving_the_programme_does(program: ProgramHarness) -> None:
    path = await team(program)
    one = await deputy(program, path)
    made = await program.ok("dan", "POST", f"{one}/prepared", {"content_id": "c1", **WORDS})
    its = f"{path}/prepared/{made['id']}"
    await program.ok("lea", "POST", f"{its}/dismiss")
    assert (await program.ok("lea", "GET", f"{path}/prepared"))["items"] == []
    await program.ok("lea", "POST", f"{its}/keep")
    await program.ok("dan", "POST", f"{one}/end")
    assert len((await program.ok("lea", "GET", f"{path}/prepared"))["items"]) == 1  # what was prepared stays
    assert (await program.refused("dan", "POST", f"{one}/prepared", {"content_id": "c2", **WORDS}))[1] == (
        "deputy-not-accepted"
    )
    again = await deputy(program, path)
    await program.ok("dan", "POST", f"{path}/leave")
    [latest, *_] = (await program.ok("lea", "GET", f"{path}/deputies/mine"))["items"]
    assert (latest["id"], latest["state"]) == (again.rpartition("/")[2], "ended")
    await program.ok("lea", "POST", f"{path}/leave")
    assert (await program.ok("lea", "GET", f"{path}/prepared"))["items"] == []
    assert await program.refused("lea", "GET", f"{path}/leaders/notices") == (403, "not-a-member")


async def test_a_leaders_first_share_is_told_to_the_others_once(program: ProgramHarness) -> None:
    path = await team(program)

    async def told(who: str = "dan") -> list[str]:
        found = await program.ok(who, "GET", f"{path}/leaders/notices")
        return [one["name"] for one in found["first_posts"]]

    assert await told() == []
    first = shared(program, path, "lea")
    await take(program, first, shared(program, path, "dan"))
    assert (await told(), await told("lea")) == (["Lea"], [])
    gone = {**post(program, path, "lea"), "post_id": first.post_id, "reason": "ambassador"}
    await take(program, PostRemoved(**gone))
    assert await told() == []
    await take(program, shared(program, path, "lea"), shared(program, path, "lea", "c2"))
    assert await told() == ["Lea"]
    await program.ok("lea", "PATCH", "/me", {"hidden_from_statistics": True})
    assert await told() == []
    await program.ok("lea", "PATCH", "/me", {"hidden_from_statistics": False})
    await program.ok("root", "PATCH", f"/people/{program.ids['eve']}", {"leader": True}, headers=ANY)
    long_ago = program.service.context.clock.now() - timedelta(days=8)
    before = shared(program, path, "eve", occurred_at=long_ago)
    await take(program, before, shared(program, path, "eve", "c2"))
    assert await told() == ["Lea"]


async def test_a_programme_says_what_it_hopes_for_from_leaders(program: ProgramHarness) -> None:
    path = await team(program)
    assert (await program.ok("lea", "GET", path))["posts_hoped"] is None
    assert (await program.ok("max", "PATCH", path, {"posts_hoped": 2}, headers=ANY))["posts_hoped"] == 2
    assert (await program.ok("max", "PATCH", path, {"name": "V"}, headers=ANY))["posts_hoped"] == 2
    assert (await program.ok("max", "PATCH", path, {"posts_hoped": None}, headers=ANY))["posts_hoped"] is None
    assert (await program.refused("max", "PATCH", path, {"posts_hoped": 0}, headers=ANY))[0] == 422
