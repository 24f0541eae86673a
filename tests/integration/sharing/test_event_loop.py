"""Sharing keeps its event loop for no input that it accepts."""

from __future__ import annotations

import asyncio
import base64
import random
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from chassis.consumer import Received
from chassis.ids import new_id
from herald_contracts import Caption, Event, LinkClicked
from services.sharing.commands import record_clicks
from services.sharing.domain.guardrails import MAX_PHRASES_TEXT
from services.sharing.projections import project_contents
from services.sharing.schemas import LONGEST_CAPTION, LONGEST_FOLDED
from tests.integration.event_loop import ALONE, check_doors, quick, quick_work
from tests.integration.sharing.conftest import SharingHarness, published

WORDS = random.Random(7)
CLICKS = 1_000 if ALONE else 200
ITEMS = 60 if ALONE else 10
PIECES = {
    "one letter": "a",
    "short words": "a ",
    "humps": "aB",
    "spelled out": "a.",
    "hashtags": "#a1",
    "phone numbers": "+33 6 12 34 56 7 ",
    "digits": "0123456789 ",
    "brackets": "(0)-",
    "addresses": "a@b.c.d.e.f ",
    "nearly addresses": "a@b-",
    "links": "https://a.co/" + "x" * 300 + " ",
    "hosts": "a.co ",
    "emoji": "👩🏽‍🚀",
    "marks": "é ",
    "wide": "ﷺ",
    "signs": "漢",
    "sentences": ". ",
    "invisible": "a\u200b",
    "phrases": "guaranteed returns ",
}


def caption(piece: str) -> str:
    found = (piece * LONGEST_CAPTION)[:LONGEST_CAPTION]
    return found if piece != "ﷺ" else piece * (LONGEST_FOLDED // 18)


def distinct_letters() -> str:
    return "".join(chr(0x4E00 + number) for number in range(LONGEST_CAPTION))


async def check(sharing: SharingHarness, headers: dict[str, str], **changes: Any) -> Any:
    body = {"content_id": "c1", "network": "linkedin", "language": "fr", **changes}
    return await quick(sharing.api, "POST", "/v1/drafts/check", json=body, headers=headers)


async def test_captions(sharing: SharingHarness) -> None:
    headers = await sharing.ambassador("ann")
    sharing.service.runtime.settings.__dict__["rate_drafts"] = "1000/second"
    slow: list[str] = []
    for network in (
        ("device", "x") if ALONE else ("x",)
    ):  # the longest captions, and the network that counts in its own way
        texts = {name: caption(piece) for name, piece in PIECES.items()} | {"all different": distinct_letters()}
        for name, text in texts.items() if ALONE else list(texts.items())[::3]:
            try:
                answer = await check(sharing, headers, network=network, caption=text)
            except AssertionError as error:
                slow.append(f"{network}, {name}: {error}")
            else:
                assert answer.status_code == 200, answer.text
    assert not slow, "\n".join(slow)


async def test_a_caption_that_grows_when_it_is_read_is_refused(sharing: SharingHarness) -> None:
    headers = await sharing.ambassador("ann")
    answer = await check(sharing, headers, network="device", caption="ﷺ" * LONGEST_CAPTION)
    assert answer.status_code == 422
    assert answer.json()["errors"][0]["field"] == "caption"


def guardrails(phrases: list[dict[str, Any]]) -> dict[str, Any]:
    return {"disclosures": {"*": {"en": "#Ad"}}, "forbidden": phrases}


LANGUAGES = [f"{first}{second}" for first in "abcdefghijklmnopqrstuvwxyz" for second in "abcdefghijklmnopqrst"]
LANGUAGES = [*LANGUAGES[:494], "en", "fr", "de", "es", "it", "nl"]
WORST_PHRASES = {
    "long and different": [
        {"phrase": "".join(WORDS.choice("abcdefghij ") for _ in range(20)) + "x", "suggestion": "good words here"}
        for _ in range(500)
    ],
    "in many languages": [{"phrase": "guaranteed", "language": one, "suggestion": "expected"} for one in LANGUAGES],
    "one in another": [{"phrase": "a " * number + "a"} for number in range(100)],
    "with a common beginning": [{"phrase": "a " * 15 + f"b{number}"} for number in range(500)],
    "of wide letters": [{"phrase": "ﷺ" * (MAX_PHRASES_TEXT // 500 // 18)} for _ in range(500)],
}


@pytest.mark.parametrize("name", WORST_PHRASES if ALONE else ["long and different", "with a common beginning"])
async def test_guardrails(sharing: SharingHarness, name: str) -> None:
    await sharing.harness.person("max", "manager")
    headers = await sharing.ambassador("ann", "manager")
    sharing.service.runtime.settings.__dict__["rate_drafts"] = "1000/second"
    path = "/v1/programs/p1/guardrails"
    changed = await quick(
        sharing.api, "PUT", path, json=guardrails(WORST_PHRASES[name]), headers={**headers, "If-Match": "*"}
    )
    assert changed.status_code == 200, changed.text[:300]
    await quick(sharing.api, "GET", path, headers=headers)
    for piece in ("a ", "guaranteed ", "ﷺ", "aB"):
        answer = await check(sharing, headers, network="device", caption=caption(piece))
        assert answer.status_code == 200
        assert len(answer.content) < 200_000
    shared = await quick(
        sharing.api, "POST", "/v1/posts", headers=headers,
        json={"content_id": "c1", "network": "device", "language": "fr", "caption": caption("guaranteed ")},
    )  # fmt: skip
    assert len(shared.content) < 200_000


async def test_guardrails_with_too_much_in_them_are_refused(sharing: SharingHarness) -> None:
    headers = await sharing.ambassador("ann", "manager")
    texts = {f"{one}": "#Ad" for one in LANGUAGES[:50]}
    many = {"disclosures": dict.fromkeys(("*", *(f"{a}{b}" for a in "ABCDE" for b in "ABCDE")), texts)}
    for body in ({**many, "forbidden": []}, guardrails([{"phrase": "ab" * 100}] * 500)):
        answer = await quick(
            sharing.api, "PUT", "/v1/programs/p1/guardrails", json=body, headers={**headers, "If-Match": "*"}
        )
        assert answer.status_code == 422
        assert answer.json()["type"] == "invalid"


async def test_reports_and_pages(sharing: SharingHarness) -> None:
    headers = await sharing.ambassador("ann")
    post = (await sharing.share(headers, network="whatsapp", caption="é" * 3900)).json()
    await sharing.db["posts"].insert_many(
        [
            {**row, "_id": f"{row['_id']}{number}", "link_code": f"code{number}"}
            for row in await sharing.db["posts"].find({"_id": post["id"]}).to_list()
            for number in range(150)
        ]
    )
    page = await quick(sharing.api, "GET", "/v1/posts", params={"limit": 100}, headers=headers)
    assert 0 < len(page.json()["items"]) < 100
    assert page.json()["next"]
    machine = sharing.harness.bearer("reports", client_id="reports", scope="herald:engagements:write")
    items = [
        {
            "post_id": post["id"],
            "kind": "like",
            "quantity": 1,
            "occurred_at": post["shared_at"],
            "external_id": base64.b64encode(bytes(100)).decode() + str(number),
        }
        for number in range(500)
    ]
    answer = await quick(sharing.api, "POST", "/v1/engagements", json={"items": items}, headers=machine)
    assert answer.json() == {"accepted": 500, "repeated": 0}


def received(events: Sequence[Event]) -> list[Received[Any]]:
    now = datetime.now(UTC)
    return [
        Received(new_id(), one.type, one.aggregate_id, now, one, one.topic, 0, offset, None, None)
        for offset, one in enumerate(events)
    ]


async def test_clicks_of_one_visitor(sharing: SharingHarness) -> None:
    """A batch in which each click is compared with each other."""
    headers = await sharing.ambassador("ann")
    post = (await sharing.share(headers)).json()
    code = (await sharing.db["posts"].find_one({"_id": post["id"]}))["link_code"]
    context, mongo = sharing.service.context, sharing.service.runtime.mongo
    now = datetime.now(UTC)

    async def take(attempt: int) -> None:
        clicks = [
            LinkClicked(link_code=code, occurred_at=now + timedelta(seconds=n), visitor="a" * 32, agent="browser")
            for n in range(CLICKS)
        ]
        batch = received(clicks)
        await asyncio.sleep(0)
        await mongo.transact(lambda tx: record_clicks(context, tx, batch))

    await quick_work(take)


async def test_the_largest_items(sharing: SharingHarness) -> None:
    context, mongo = sharing.service.context, sharing.service.runtime.mongo
    captions = [
        Caption(caption_id=f"caption-{n}", language="fr", network=None, text=f"{n} " + "é" * 4_900) for n in range(40)
    ]

    async def take(attempt: int) -> None:
        items = [published(content_id=f"large-{n}", revision=attempt + 1, captions=captions) for n in range(ITEMS)]
        batch = received(items)
        await asyncio.sleep(0)
        await mongo.transact(lambda tx: project_contents(context, tx, batch))

    await quick_work(take)
    assert await sharing.db["contents"].count_documents({"_id": {"$regex": "^large-"}}) == ITEMS


async def test_doors(sharing: SharingHarness) -> None:
    headers = await sharing.ambassador("ann", "manager", "admin")
    sharing.service.runtime.settings.__dict__["rate_drafts"] = "1000/second"
    await check_doors(sharing.service, sharing.api, headers)
