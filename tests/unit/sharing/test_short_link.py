"""The redirect's own record of a click is what the contract's encoder makes."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chassis.ids import new_id
from herald_contracts import LinkClicked, decode, encode
from services.sharing.redirect.drain import entry_of, record_of
from services.sharing.redirect.server import CODE, SHARED, Moment
from services.sharing.redirect.short_link import ShortLink, untraced
from services.sharing.redirect.visitors import referrer_host


@given(
    code=st.from_regex(CODE, fullmatch=True),
    at=st.datetimes(datetime(2000, 1, 1), datetime(2100, 1, 1)),  # noqa: DTZ001
    agent=st.sampled_from(["browser", "bot", "prefetch"]),
    visitor=st.none() | st.from_regex(r"[0-9a-f]{32}", fullmatch=True),
    yesterday=st.none() | st.from_regex(r"[0-9a-f]{32}", fullmatch=True),
    referrer=st.none() | st.text(),
    traced=st.booleans(),
)
def test_it_decodes_to_the_same_event(
    code: str, at: datetime, agent: str, visitor: str | None, yesterday: str | None, referrer: str | None, traced: bool
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
        visitor_yesterday=yesterday if visitor else None,
        referrer=host,
        traceparent=parent,
    )
    click = LinkClicked.model_validate(
        {
            "link_code": code,
            "occurred_at": moment,
            "agent": agent,
            "visitor": visitor,
            "visitor_yesterday": yesterday if visitor else None,
            "referrer": host,
        }
    )
    wanted = encode(click, id=id, time=moment, traceparent=parent)
    assert decode(record.headers, record.value) == decode(wanted.headers, wanted.value)
    assert (record.topic, record.key, sorted(record.headers)) == (wanted.topic, wanted.key, sorted(wanted.headers))
    assert record_of(entry_of(record)) == record


@pytest.mark.parametrize(
    "target", ["https://example.com/\r\nSet-Cookie: a=b", "https://example.com/\x00", "https://é.example/"]
)
def test_no_target_writes_headers_of_its_own(target: str) -> None:
    with pytest.raises(ValueError, match=r"header|ascii"):
        ShortLink("abcd1234", target)


@pytest.mark.parametrize(
    ("asked", "code"),
    [
        ("Ab3dE6gH/", "Ab3dE6gH"),
        ("Ab3dE6gH.", "Ab3dE6gH"),
        ("Ab3dE6gH,", "Ab3dE6gH"),
        ("Ab3dE6gH)", "Ab3dE6gH"),
        ("Ab3dE6gH…", "Ab3dE6gH"),
        ("Ab3dE6gH ", "Ab3dE6gH"),
        ("Ab3dE6gH\u00a0»).", "Ab3dE6gH"),
        ("Ab3dE6gH*_", "Ab3dE6gH"),
        ("Ab3dE6gH/more", None),
        ("abc.", None),
        (".Ab3dE6gH", None),
        ("Ab3dE6gH" + "." * 17, None),
    ],
)
def test_what_was_copied_with_a_code_is_none_of_it(asked: str, code: str | None) -> None:
    found = SHARED.fullmatch(asked)
    assert (found[1] if found else None) == code


def test_the_hour_after_midnight_knows_the_day_before() -> None:
    def at(hour: int, minute: int = 0, second: int = 0) -> tuple[str, str, str | None]:
        return Moment(FixedClock(datetime(2026, 11, 24, hour, minute, second, tzinfo=UTC))).now()

    assert at(0) == ("2026-11-24T00:00:00.000Z", "2026-11-24", "2026-11-23")
    assert at(0, 59, 59)[2] == "2026-11-23"
    assert at(1)[2] is None
    assert at(23, 59, 59)[2] is None


class FixedClock:
    def __init__(self, at: datetime) -> None:
        self._at = at

    def now(self) -> datetime:
        return self._at
