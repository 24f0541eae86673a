"""A short link: its answer and the records of its clicks, with what is the same in each of them made once."""

from __future__ import annotations

from typing import Any

from herald_contracts import LinkClicked, Record
from herald_contracts.envelope import CONTENT_TYPE, SPEC_VERSION, schema_id

_CONSTANT_HEADERS = [
    ("ce_specversion", SPEC_VERSION.encode()),
    ("ce_type", LinkClicked.type.encode()),
    ("ce_source", LinkClicked.source.encode()),
    ("ce_dataschema", schema_id(LinkClicked.type).encode()),
    ("content-type", CONTENT_TYPE),
]


class ShortLink:
    """`found` is the ASGI message that begins its answer, `head` the same as HTTP but for what the server adds.

    Raises ValueError for a target that no header can hold.
    """

    __slots__ = ("_begins", "_headers", "_key", "found", "head")

    def __init__(self, code: str, target: str) -> None:
        self._key = code.encode()
        self._headers = [("ce_subject", self._key), ("ce_partitionkey", self._key), *_CONSTANT_HEADERS]
        self._begins = f'{{"link_code":"{code}","occurred_at":"'
        if not target.isprintable():
            raise ValueError("a target of letters that no header can hold")
        answer = [
            (b"location", target.encode("ascii")),
            (b"cache-control", b"private, no-store"),
            (b"x-robots-tag", b"noindex"),
            (b"content-length", b"0"),
        ]
        self.found: dict[str, Any] = {"type": "http.response.start", "status": 302, "headers": answer}
        self.head = b"HTTP/1.1 302 Found\r\n" + b"".join(b"%b: %b\r\n" % one for one in answer)

    def click(
        self,
        *,
        id: str,
        time: str,
        agent: str,
        visitor: str | None,
        visitor_yesterday: str | None = None,
        referrer: str | None,
        traceparent: str,
    ) -> Record:
        """The record of a LinkClicked: what `herald_contracts.encode` makes of it, without its detours.

        `time` is RFC 3339 in UTC; every value is of letters that JSON takes as they are.
        """
        said = f'{self._begins}{time}","agent":"{agent}"'
        if visitor is not None:
            said += f',"visitor":"{visitor}"'
            if visitor_yesterday is not None:
                said += f',"visitor_yesterday":"{visitor_yesterday}"'
        if referrer is not None:
            said += f',"referrer":"{referrer}"'
        headers = [
            ("ce_id", id.encode()),
            ("ce_time", time.encode()),
            ("traceparent", traceparent.encode()),
            *self._headers,
        ]
        return Record(LinkClicked.topic, self._key, (said + "}").encode(), headers)


def untraced(event_id: str) -> str:
    """A trace context that says "not recorded", so that what follows from a click costs no spans either."""
    digits = event_id.replace("-", "")
    return f"00-{digits}-{digits[16:]}-00"
