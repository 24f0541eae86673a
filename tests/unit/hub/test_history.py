"""Files of history: what is read, what is refused, and what is handed on to whom."""

from __future__ import annotations

import json
from collections.abc import Mapping
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from functools import partial
from typing import Any, cast

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.hub.clients import Answer, Apis, Refusal
from services.hub.history.formats import KINDS, LineError, Row, Unreadable, read
from services.hub.history.importer import Announced, File, Importer, Report, by_kind, chunks

NOW = datetime(2026, 11, 27, 12, tzinfo=UTC)
POSTS = "id;person;item;network;posted_at;clicks;text\n"


def found(text: str | bytes, zone: str = "Europe/Paris") -> list[Row | list[LineError]]:
    data = text if isinstance(text, bytes) else text.encode()
    return list(read(data, time_zone=zone, now=NOW))


def rows(text: str | bytes) -> list[dict[str, Any]]:
    return [dict(one.values) for one in found(text) if isinstance(one, Row)]


def faults(text: str | bytes) -> list[tuple[int, str, str]]:
    return [(one.line, one.field, one.rule) for errors in found(text) if isinstance(errors, list) for one in errors]


def test_a_row_s_kind_is_told_by_its_columns() -> None:
    lines = [
        {"person": "a@x.example", "joined_at": "2025-01-01"},
        {"url": "https://x.example", "title": "T", "published_at": "2025-01-01"},
        {"person": "a@x.example", "item": "https://x.example", "network": "X", "posted_at": "2025-01-01"},
        {"post": "P-1", "counted_at": "2025-01-01", "likes": 3},
    ]
    text = "\n".join(json.dumps(line) for line in lines)
    assert [one.kind for one in found(text) if isinstance(one, Row)] == list(KINDS)


@pytest.mark.parametrize(
    ("written", "read_as"),
    [
        ("2026-06-01", "2026-06-01T10:00:00.000Z"),
        ("2026-06-01T08:30:00", "2026-06-01T06:30:00.000Z"),
        ("2026-06-01T08:30:00Z", "2026-06-01T08:30:00.000Z"),
        ("2026-06-01 08:30:00+05:00", "2026-06-01T03:30:00.000Z"),
    ],
)
def test_times_without_an_offset_are_the_programme_s(written: str, read_as: str) -> None:
    [row] = rows(POSTS + f"P;a@x.example;https://x.example;linkedin;{written};;\n")
    assert row["posted_at"] == read_as


def test_a_membership_lasts_from_its_first_day_to_its_last() -> None:
    [row] = rows("person,joined_at,left_at\na@x.example,2025-03-01,2025-03-01\n")
    assert (row["joined_at"], row["left_at"]) == ("2025-02-28T23:00:00.000Z", "2025-03-01T23:00:00.000Z")


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16"])
@pytest.mark.parametrize("delimiter", [";", ",", "\t"])
def test_spreadsheets_of_several_countries_are_read(encoding: str, delimiter: str) -> None:
    line = ["P-1", "é@x.example", "https://x.example", "LinkedIn", "2026-06-01", "1 200", '"Zwei\nZeilen"']
    text = POSTS.replace(";", delimiter) + delimiter.join(line) + "\n"
    assert rows(text.encode(encoding)) == [
        {
            "id": "P-1",
            "person": "é@x.example",
            "item": "https://x.example",
            "network": "linkedin",
            "posted_at": "2026-06-01T10:00:00.000Z",
            "clicks": 1200,
            "text": "Zwei\nZeilen",
        }
    ]


def test_each_broken_row_is_reported_by_line_and_field_and_the_others_are_read() -> None:
    text = (
        POSTS
        + "P-1;;https://x.example;linkedin;2026-06-01;;\n"
        + "P-2;a;b;x;yesterday;many;\n"
        + "\n"
        + "P-3;a;b;x;2026-11-28;;\n"
        + "P-4;a;b;x;1999-12-31;;\n"
        + "P-5;a;b;x;2026-06-01;1;\n"
        + "P-6;a;b;x;2026-06-01;1;;;more\n"
    )
    assert [row["id"] for row in rows(text)] == ["P-5"]
    assert faults(text) == [
        (2, "person", "required"),
        (3, "posted_at", "time"),
        (3, "clicks", "whole-number"),
        (5, "posted_at", "future"),
        (6, "posted_at", "too-early"),
        (8, "line", "columns"),
    ]


def test_lines_that_are_no_json_or_say_too_little_are_reported() -> None:
    text = '{"joined_at": "2025-01-01", "person": "a", "colour": 1}\n{"x"\n[1]\n{"person": "a"}\n'
    assert faults(text) == [
        (1, "colour", "column-unknown"),
        (2, "line", "json"),
        (3, "line", "json"),
        (4, "line", "kind-unknown"),
    ]


@pytest.mark.parametrize(
    ("data", "rule"),
    [
        (b"", "empty"),
        (b" \n", "empty"),
        (b"person,when\na,b\n", "kind-unknown"),
        (b"person,joined_at,posted_at\n", "kind-unknown"),
        (b"person,joined_at,colour\n", "column-unknown"),
        (b"person,joined_at\na,2025-01-01\n\xff\xff", "not-utf-8"),
    ],
)
def test_what_is_no_table_is_refused_whole(data: bytes, rule: str) -> None:
    with pytest.raises(Unreadable) as refused:
        found(data)
    assert refused.value.errors[0].rule == rule


@given(
    st.binary(max_size=300) | st.text(max_size=300).map(lambda text: POSTS.encode() + text.encode("utf-8", "ignore"))
)
def test_whatever_a_file_holds_it_is_read_or_refused(data: bytes) -> None:
    with suppress(Unreadable):
        assert all(isinstance(one, Row) or one for one in found(data))


class Company:
    """The three services, as far as an import can tell: who and what is known, and each row once."""

    def __init__(self) -> None:
        self.people = {"ada@x.example": "ada", "E-2": "ben"}
        self.items: dict[str, dict[str, str]] = {}
        self.taken: dict[str, Any] = {}
        self.asked: list[str] = []
        self.keys: list[str | None] = []

    async def call(self, service: str, method: str, path: str, body: Any, *, key: str | None = None) -> Answer:
        self.asked.append(f"{service} {path}")
        if path == "/v1/people/resolve":
            return Answer(200, {"people": {one: self.people[one] for one in body["people"] if one in self.people}})
        if path == "/v1/items/resolve":
            return Answer(200, {"items": {one: self.items[one] for one in body["items"] if one in self.items}})
        self.keys.append(key)
        refused = [n for n, item in enumerate(body["items"]) if item.get("url") == "https://refused.example"]
        if refused:
            errors = [{"field": f"items.{n}.url", "rule": "host", "detail": "No."} for n in refused]
            raise Refusal(service, 422, {"type": "invalid", "errors": errors})
        return Answer(200, {"items": [self._take(path, item, body["preview"]) for item in body["items"]]})

    def _take(self, path: str, item: Mapping[str, Any], preview: bool) -> dict[str, str]:
        name = f"{path}|{item['id']}"
        if path.endswith("engagements") and f"/v1/history/posts|{item['post']}" not in self.taken:
            return {"outcome": "refused", "field": "post", "rule": "unknown", "detail": "No such post."}
        if name in self.taken:
            return {"outcome": "known", "field": "", "rule": "", "detail": ""}
        if not preview:
            self.taken[name] = item
            if "published_at" in item:
                known = {"id": item["id"], "title": item["title"], "url": item["url"], "language": "en"}
                self.items |= {item["url"]: known, item["id"]: known}
        return {"outcome": "new", "field": "", "rule": "", "detail": ""}


MEMBERSHIPS = File("members.csv", b"person,joined_at,left_at\nada@x.example,2025-01-01,\nE-2,2025-01-01,2025-02-01\n")
ITEMS = File("items.csv", b"url,title,published_at\nhttps://x.example/a,A,2025-01-01\n")
SHARES = File(
    "posts.csv",
    b"id,person,item,network,posted_at,likes\nP-1,ada@x.example,https://x.example/a,linkedin,2025-01-02,3\n"
    b"P-2,gone@x.example,https://x.example/a,linkedin,2025-01-02,3\nP-3,E-2,https://x.example/z,x,2025-01-02,3\n",
)
LATER = File(
    "later.jsonl",
    b'{"post": "P-1", "counted_at": "2025-01-09", "likes": 2}\n{"post": "P-9", "counted_at": "2025-01-09"}\n',
)


async def run(company: Company, *files: File, preview: bool) -> Report:
    sources = [partial(file.rows, "UTC", NOW) for file in files]
    announced = Announced.of(row for source in sources for row in source())
    importer = Importer(cast("Apis", company), "prog", "old")
    report = Report()
    for _, some in by_kind(sources):
        for piece in chunks(some, report):
            report.add(await importer.take([announced.mark(row) for row in piece], preview=preview))
    return report


async def test_a_preview_counts_what_the_import_then_does_and_again_nothing_changes() -> None:
    company = Company()
    files = (LATER, SHARES, ITEMS, MEMBERSHIPS)
    said = await run(company, *files, preview=True)
    assert company.taken == {}
    assert company.keys == [None] * len(company.keys)
    done = await run(company, *files, preview=False)
    assert (said.new, said.refused) == (done.new, done.refused)
    assert done.new == {"membership": 2, "item": 1, "post": 1, "engagement": 1}
    assert {(one.file, one.line, one.field, one.rule) for one in done.errors} == {
        ("posts.csv", 3, "person", "unknown"),
        ("posts.csv", 4, "item", "unknown"),
        ("later.jsonl", 2, "post", "unknown"),
    }
    taken = dict(company.taken)
    again = await run(company, *files, preview=False)
    assert (again.new.total(), again.known.total()) == (0, 5)
    assert company.taken == taken


async def test_ids_and_no_addresses_of_people_go_further_than_program() -> None:
    company = Company()
    await run(company, MEMBERSHIPS, ITEMS, SHARES, LATER, preview=False)
    assert "ada@x.example" not in json.dumps(company.taken)
    post = company.taken["/v1/history/posts|P-1"]
    assert (post["ambassador_id"], post["counts"], post["title"]) == ("ada", {"like": 3}, "A")


async def test_rows_that_the_door_refuses_are_reported_and_the_rest_of_the_request_is_taken() -> None:
    company = Company()
    bad = File(
        "more.csv", b"url,title,published_at\nhttps://refused.example,B,2025-01-01\nhttps://y.example,C,2025-01-01\n"
    )
    report = await run(company, bad, preview=False)
    assert [(one.line, one.field, one.rule) for one in report.errors] == [(2, "url", "host")]
    assert (report.new["item"], report.refused["item"]) == (1, 1)


async def test_many_rows_go_in_requests_of_five_hundred() -> None:
    company = Company()
    lines = [f"https://x.example/{n},T{n},2025-01-01" for n in range(1201)]
    file = File("items.csv", "\n".join(["url,title,published_at", *lines]).encode())
    report = await run(company, file, preview=False)
    assert report.new["item"] == 1201
    assert company.asked == ["content /v1/history/items"] * 3
    assert len(set(company.keys)) == 3


def test_the_day_before_now_is_the_last_that_can_be_imported() -> None:
    yesterday = (NOW - timedelta(days=1)).date()
    assert faults(POSTS + f"P;a;b;x;{yesterday};;\n") == []
