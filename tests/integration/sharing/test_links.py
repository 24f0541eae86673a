"""The redirect over real HTTP: verdicts, the spool, and pages for people who are lost."""

from __future__ import annotations

import asyncio
import json
import re
from collections import Counter
from pathlib import Path
from typing import Any

import httpx

from services.sharing.app import build
from tests.integration.harness import eventually
from tests.integration.sharing.conftest import BROWSER, SharingHarness, settings_of

OWN_BROWSER = BROWSER + " Own/1.0"
OWN = {"X-Forwarded-For": "203.0.113.9", "X-Forwarded-User-Agent": OWN_BROWSER}


def visit(address: str, **more: str) -> dict[str, str]:
    return {"X-Forwarded-For": address, **more}


async def test_each_click_has_its_verdict(sharing: SharingHarness) -> None:
    ana = await sharing.ambassador("ana")
    post = (await sharing.share({**ana, **OWN})).json()
    where = f"/l/{post['link_code']}"
    plan = [
        ("GET", visit("198.51.100.1"), "counted"),
        ("GET", visit("198.51.100.1"), "repeat"),
        ("GET", visit("198.51.100.1", **{"User-Agent": BROWSER + " Other/2.0"}), "counted"),
        ("GET", visit("198.51.100.2", **{"User-Agent": "LinkedInBot/1.0"}), "bot"),
        ("HEAD", visit("198.51.100.3"), "bot"),
        ("GET", visit("198.51.100.4", **{"Sec-Purpose": "prefetch;prerender"}), "prefetch"),
        ("GET", visit("203.0.113.9", **{"User-Agent": OWN_BROWSER}), "self"),
        ("GET", visit("198.51.100.5", **{"Sec-GPC": "1"}), "counted"),
        ("GET", visit("198.51.100.5", DNT="1"), "counted"),
        ("HEAD", visit("198.51.100.6"), "bot"),
        ("GET", visit("198.51.100.6"), "scanner"),
        ("GET", visit("198.51.100.7", Purpose="prefetch"), "prefetch"),
        ("GET", visit("198.51.100.7", **{"X-Moz": "prefetch"}), "prefetch"),
        ("GET", visit("198.51.100.7", **{"X-Purpose": "preview"}), "prefetch"),
    ]
    async with sharing.links() as links:
        for method, headers, _ in plan:
            answer = await links.request(method, where, headers=headers)
            assert answer.status_code == 302
            assert answer.headers["cache-control"] == "private, no-store"
            assert re.search(rf"utm_content={post['link_code']}", answer.headers["location"])
    wanted = Counter(verdict for _, _, verdict in plan)
    found = await sharing.engagements(len(plan))
    assert Counter(event.verdict for event in found) == wanted
    assert {(event.post_id, event.kind, event.measure) for event in found} == {(post["id"], "click", "measured")}
    clicks = (await sharing.api.get(f"/v1/posts/{post['id']}", headers=ana)).json()["clicks"]
    assert clicks == {"raw": len(plan), "counted": wanted["counted"], "by_verdict": dict(wanted)}
    raw = await sharing.harness.records("herald.clicks")
    said = b" ".join(part or b"" for one in raw for part in (one.key, one.value, *dict(one.headers).values()))
    assert post["link_code"].encode() in said
    for secret in (b"198.51.100", b"203.0.113", b"Mozilla", b"Firefox"):
        assert secret not in said
    objectors = [record for record in raw if b"visitor" not in record.value]
    assert len(objectors) == 2


async def test_a_mail_scanner_is_none_of_the_readers(sharing: SharingHarness) -> None:
    ana = await sharing.ambassador("ana")
    post = (await sharing.share(ana, network="email")).json()
    async with sharing.links() as links:
        await links.get(f"/l/{post['link_code']}", headers=visit("198.51.100.1"))
    assert [event.verdict for event in await sharing.engagements(1)] == ["scanner"]
    clicks = (await sharing.api.get(f"/v1/posts/{post['id']}", headers=ana)).json()["clicks"]
    assert clicks == {"raw": 1, "counted": 0, "by_verdict": {"scanner": 1}}


async def test_a_code_is_followed_with_what_was_copied_behind_it(sharing: SharingHarness) -> None:
    post = (await sharing.share(await sharing.ambassador("ana"))).json()
    behind = ["", "/", ".", ",", ")", "%E2%80%A6", "%20", "%C2%A0%C2%BB.", "?fbclid=abc", ".?fbclid=abc"]
    async with sharing.links() as links:
        for first in (True, False):
            for index, more in enumerate(behind):
                headers = visit(f"198.51.{100 + first}.{index}")
                answer = await links.get(f"/l/{post['link_code']}{more}", headers=headers)
                assert answer.status_code == 302, more
                assert "fbclid" not in answer.headers["location"]
        missing = await links.get(f"/l/{post['link_code']}/more")
    assert missing.status_code == 404
    found = await sharing.engagements(2 * len(behind))
    assert Counter(event.verdict for event in found) == {"counted": 2 * len(behind)}


async def test_an_address_is_believed_from_a_trusted_proxy_alone(sharing: SharingHarness) -> None:
    post = (await sharing.share(await sharing.ambassador("ana"))).json()
    async with sharing.links(trusted_proxies="10.0.0.0/8") as links:
        for address in ("198.51.100.1", "198.51.100.2"):
            await links.get(f"/l/{post['link_code']}", headers=visit(address))
    assert Counter(event.verdict for event in await sharing.engagements(2)) == {"counted": 1, "repeat": 1}


async def test_who_tries_many_codes_is_told_so_and_links_that_lead_somewhere_go_on(sharing: SharingHarness) -> None:
    post = (await sharing.share(await sharing.ambassador("ana"))).json()
    async with sharing.links(rate_unknown_codes="2/hour", trusted_proxies="127.0.0.1") as links:
        tries = [(await links.get(f"/l/none{number}", headers=visit("198.51.100.1"))) for number in range(3)]
        assert [one.status_code for one in tries] == [404, 404, 429]
        assert 0 < int(tries[2].headers["retry-after"]) <= 3600
        assert "content-security-policy" in tries[2].headers
        known = await links.get(f"/l/{post['link_code']}", headers=visit("198.51.100.1"))
        assert known.status_code == 302
        assert (await links.get("/l/none9", headers=visit("198.51.100.2"))).status_code == 404


async def test_clicks_survive_on_disk_while_kafka_is_away(sharing: SharingHarness) -> None:
    ana = await sharing.ambassador("ana")
    post = (await sharing.share(ana)).json()
    async with sharing.links(kafka_bootstrap="127.0.0.1:1", click_timeout=0.3) as links:
        for number in range(5):
            answer = await links.get(f"/l/{post['link_code']}", headers=visit(f"198.51.100.{number}"))
            assert answer.status_code == 302
        metrics = (await links.get("/metrics")).text
        assert re.search(r'herald_links_clicks_total\{kept="spool",service="sharing"\} 5\.0', metrics)
        assert "herald_links_redirect_seconds_bucket" in metrics
    assert {path.suffix for path in sharing.spool.iterdir()} == {".spool"}
    assert await sharing.harness.records("herald.clicks") == []
    async with sharing.links() as links:
        found = await sharing.engagements(5)
        assert Counter(event.verdict for event in found) == {"counted": 5}
        await eventually(lambda: _empty(sharing.spool))
        await links.get(f"/l/{post['link_code']}", headers=visit("198.51.100.9"))
    assert len(await sharing.engagements(6)) == 6


async def _empty(folder: Path) -> bool:
    return not list(folder.glob("*.spool"))


async def test_a_full_spool_still_redirects_and_says_what_is_lost(sharing: SharingHarness) -> None:
    post = (await sharing.share(await sharing.ambassador("ana"))).json()
    async with sharing.links(kafka_bootstrap="127.0.0.1:1", click_timeout=0.2, spool_bytes=10) as links:
        assert (await links.get(f"/l/{post['link_code']}")).status_code == 302
        metrics = (await links.get("/metrics")).text
    assert re.search(r'herald_links_clicks_total\{kept="lost",service="sharing"\} 1\.0', metrics)


async def test_an_unknown_code_is_a_friendly_page_in_the_readers_language(sharing: SharingHarness) -> None:
    async with sharing.links() as links:
        french = await links.get("/l/nope1234", headers={"Accept-Language": "fr-CA,fr;q=0.9,en;q=0.8"})
        english = await links.get("/l/nope1234", headers={"Accept-Language": "de,en;q=0.5"})
        odd = await links.get("/l/%00%2e%2e/..")
        wrong = await links.post("/l/nope1234")
    assert (french.status_code, english.status_code, odd.status_code) == (404, 404, 404)
    assert 'lang="fr"' in french.text
    assert "Ce lien" in french.text
    assert "This link leads nowhere" in english.text
    assert "script" not in english.headers["content-security-policy"]
    assert (wrong.status_code, wrong.json()["type"], wrong.headers["allow"]) == (405, "method", "GET, HEAD")


async def test_a_link_at_hand_is_answered_as_one_that_had_to_be_found(sharing: SharingHarness) -> None:
    post = (await sharing.share(await sharing.ambassador("ana"))).json()
    async with sharing.links() as links:
        found, at_hand = [await links.get(f"/l/{post['link_code']}") for _ in range(2)]
        assert (at_hand.status_code, at_hand.content) == (found.status_code, found.content) == (302, b"")
        assert [(name, value) for name, value in at_hand.headers.raw if name != b"date"] == [
            (name, value) for name, value in found.headers.raw if name != b"date"
        ]
        assert "date" in at_hand.headers
        metrics = (await links.get("/metrics")).text
    assert re.search(r'herald_links_redirect_seconds_count\{service="sharing"\} 2\.0', metrics)


async def test_a_connection_is_kept_or_closed_as_its_client_asked(sharing: SharingHarness) -> None:
    """Three requests at once on one connection, each of a link at hand; the last one ends it."""
    post = (await sharing.share(await sharing.ambassador("ana"))).json()
    line = f"GET /l/{post['link_code']} HTTP/1.1\r\nHost: herald.test\r\nUser-Agent: {BROWSER}\r\n"
    async with sharing.links() as links:
        await links.get(f"/l/{post['link_code']}")
        reader, writer = await asyncio.open_connection(links.base_url.host, links.base_url.port)
        writer.write(f"{line}\r\n{line}\r\n{line}Connection: close\r\n\r\n".encode())
        said = await asyncio.wait_for(reader.read(), 60)
        writer.close()
    answers = said.decode().split("HTTP/1.1 ")[1:]
    assert [answer[:9] for answer in answers] == ["302 Found"] * 3
    assert ["connection: close" in answer for answer in answers] == [False, False, True]
    assert (
        len(await eventually(lambda: sharing.harness.records("herald.clicks"), until=lambda found: len(found) == 4))
        == 4
    )


async def test_what_is_no_plain_click_is_answered_all_the_same(sharing: SharingHarness) -> None:
    """A body, parameters, HTTP/1.0 and a path in other words, each on a connection of its own, of a link at hand."""
    code = (await sharing.share(await sharing.ambassador("ana"))).json()["link_code"]
    requests = [
        f"GET /l/{code} HTTP/1.1\r\nHost: herald.test\r\nConnection: close\r\nContent-Length: 4\r\n\r\nbody",
        f"GET /l/{code}?utm_source=elsewhere HTTP/1.1\r\nHost: herald.test\r\nConnection: close\r\n\r\n",
        f"GET /l/{code} HTTP/1.0\r\n\r\n",
        f"GET /l/%{ord(code[0]):02x}{code[1:]} HTTP/1.1\r\nHost: herald.test\r\nConnection: close\r\n\r\n",
    ]
    async with sharing.links() as links:
        await links.get(f"/l/{code}")
        for request in requests:
            reader, writer = await asyncio.open_connection(links.base_url.host, links.base_url.port)
            writer.write(request.encode())
            assert (await asyncio.wait_for(reader.read(), 60)).startswith(b"HTTP/1.1 302 Found"), request
            writer.close()
    records = await sharing.harness.records("herald.clicks")
    assert len(records) == 1 + len(requests)


async def test_who_leaves_before_the_answer_is_counted(sharing: SharingHarness) -> None:
    post = (await sharing.share(await sharing.ambassador("ana"))).json()
    async with sharing.links() as links:
        await links.get(f"/l/{post['link_code']}")
        _, writer = await asyncio.open_connection(links.base_url.host, links.base_url.port)
        writer.write(f"GET /l/{post['link_code']} HTTP/1.1\r\nHost: herald.test\r\n\r\n".encode())
        await writer.drain()
        writer.transport.abort()
        await eventually(lambda: sharing.harness.records("herald.clicks"), until=lambda found: len(found) == 2)
        assert (await links.get(f"/l/{post['link_code']}")).status_code == 302


async def test_what_is_cached_redirects_while_mongodb_is_away(sharing: SharingHarness) -> None:
    """Redis knows the link; the process has never seen it and cannot reach MongoDB."""
    post = (await sharing.share(await sharing.ambassador("ana"))).json()
    async with sharing.links() as links:
        await links.get(f"/l/{post['link_code']}")
    settings = settings_of(
        sharing.harness, sharing.spool, mongo_url="mongodb://127.0.0.1:1/?serverSelectionTimeoutMS=200"
    )
    service = build(settings)
    role = service.roles["links"]()
    transport = httpx.ASGITransport(app=role.app)
    starting = asyncio.ensure_future(role.start())
    async with httpx.AsyncClient(transport=transport, base_url="http://herald.test") as links:
        assert (await links.get("/health/ready")).status_code == 503
        assert (await links.get(f"/l/{post['link_code']}")).status_code == 302
        unknown = await links.get("/l/nope1234")
        assert (unknown.status_code, unknown.headers["retry-after"]) == (503, "2")
    await role.stop()
    await starting
    await service.runtime.close()


async def test_one_trace_joins_a_click_to_its_effect(sharing: SharingHarness, tmp_path: Path) -> None:
    post = (await sharing.share(await sharing.ambassador("ana"))).json()
    spans_file = tmp_path / "links.jsonl"
    traceparent = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01"
    async with sharing.links(spans_file=spans_file) as links:
        await links.get(f"/l/{post['link_code']}", headers={"traceparent": traceparent})
    spans = {span["name"]: span for span in map(json.loads, spans_file.read_text().splitlines())}
    server, send = spans["GET /l/{code}"], spans["send herald.clicks"]
    assert (server["kind"], send["kind"]) == ("SERVER", "PRODUCER")
    assert (server["trace_id"], server["parent_id"]) == (traceparent[3:35], traceparent[36:52])
    assert send["parent_id"] == server["span_id"]
    (record,) = await sharing.harness.records("herald.clicks")
    assert dict(record.headers)["traceparent"].decode() == f"00-{send['trace_id']}-{send['span_id']}-01"

    async def effects() -> list[Any]:
        return await sharing.harness.records("herald.engagements")

    (effect,) = await eventually(effects)
    assert dict(effect.headers)["traceparent"].decode()[3:35] == server["trace_id"]


async def test_beyond_the_limit_clicks_have_no_spans(sharing: SharingHarness, tmp_path: Path) -> None:
    post = (await sharing.share(await sharing.ambassador("ana"))).json()
    spans_file = tmp_path / "links.jsonl"
    async with sharing.links(spans_file=spans_file, links_traces=0) as links:
        assert (await links.get(f"/l/{post['link_code']}", headers={"User-Agent": BROWSER})).status_code == 302
    spans = [json.loads(line) for line in spans_file.read_text().splitlines()] if spans_file.exists() else []
    assert not [span["name"] for span in spans if span["kind"] in ("SERVER", "PRODUCER") or span["name"] == "find"]
    (record,) = await sharing.harness.records("herald.clicks")
    assert dict(record.headers)["traceparent"].endswith(b"-00")
