"""The redirect's own record of a click is what the contract's encoder makes."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chassis.ids import new_id
from herald_contracts import LinkClicked, decode, encode
from services.sharing.redirect.click_producer import _entry, _record
from services.sharing.redirect.server import CODE
from services.sharing.redirect.short_link import ShortLink, untraced
from services.sharing.redirect.visitors import referrer_host


@given(
    code=st.from_regex(CODE, fullmatch=True),
    at=st.datetimes(datetime(2000, 1, 1), datetime(2100, 1, 1)),  # noqa: DTZ001
    agent=st.sampled_from(["browser", "bot", "prefetch"]),
    visitor=st.none() | st.from_regex(r"[0-9a-f]{32}", fullmatch=True),
    referrer=st.none() | st.text(),
    traced=st.booleans(),
)
def test_it_decodes_to_the_same_event(
    code: str, at: datetime, agent: str, visitor: str | None, referrer: str | None, traced: bool
) -> None:
    moment = at.replace(tzinfo=UTC, microsecond=at.microsecond // 1000 * 1000)
    host = referrer_host(referrer) if referrer else None
    id = new_id()
    parent = "00-" + "a" * 32 + "-" + "b" * 16 + "-01" if traced else untraced(id)
    record = ShortLink(code, "https://example.com/").click(
        id=id,
        time=moment.isoformat(timespec="milliseconds").replace("+00:00", "Z"),
        agent=agent,
        visitor=visitor,
        referrer=host,
        traceparent=parent,
    )
    click = LinkClicked.model_validate(
        {"link_code": code, "occurred_at": moment, "agent": agent, "visitor": visitor, "referrer": host}
    )
    wanted = encode(click, id=id, time=moment, traceparent=parent)
    assert decode(record.headers, record.value) == decode(wanted.headers, wanted.value)
    assert (record.topic, record.key, sorted(record.headers)) == (wanted.topic, wanted.key, sorted(wanted.headers))
    assert _record(_entry(record)) == record


@pytest.mark.parametrize(
    "target", ["https://example.com/\r\nSet-Cookie: a=b", "https://example.com/\x00", "https://é.example/"]
)
def test_no_target_writes_headers_of_its_own(target: str) -> None:
    with pytest.raises(ValueError, match=r"header|ascii"):
        ShortLink("abcd1234", target)
