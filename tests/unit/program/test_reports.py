"""What comes back of mails, however broken it is."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.program.mail.reports import Report, read_report

TOKEN = "abcdefghijklmnopqrstuvwx27"
TO = f"bounces+{TOKEN}@herald.test"
MESSAGES = Path(__file__).parents[2] / "integration" / "program"
BOUNCE = (MESSAGES / "bounce.eml").read_text().replace("TO@HERE", TO)
COMPLAINT = (MESSAGES / "complaint.eml").read_text().replace("TO@HERE", TO)


@pytest.mark.parametrize(
    ("content", "expected"),
    [
        (BOUNCE.replace("STATUS", "5.1.1"), Report(TOKEN, "bounce", "5.1.1", gone=True)),
        (BOUNCE.replace("STATUS", "5.7.1"), Report(TOKEN, "bounce", "5.7.1")),
        (BOUNCE.replace("STATUS", "4.4.1").replace("failed", "delayed"), Report(TOKEN, "delay", "4.4.1")),
        (BOUNCE.replace("STATUS", "2.0.0").replace("failed", "delivered"), None),
        (COMPLAINT, Report(TOKEN, "complaint")),
        (BOUNCE.replace(TO, "bounces@herald.test").replace("STATUS", "5.1.1"), None),
        (f"To: {TO}\n\nI am on holiday.", None),
    ],
)
def test_a_report_says_which_mail_and_what_became_of_it(content: str, expected: Report | None) -> None:
    assert read_report(content.encode()) == expected


def test_a_mail_that_is_quoted_is_known_by_its_message_id() -> None:
    quoted = BOUNCE.replace(TO, "bounces@herald.test").replace("STATUS", "5.1.1")
    quoted = quoted.replace(
        "--part--", f"--part\nContent-Type: message/rfc822\n\nMessage-ID: <{TOKEN}@herald.test>\n\n--part--"
    )
    assert read_report(quoted.encode()) == Report(TOKEN, "bounce", "5.1.1", gone=True)


@given(st.binary(max_size=400) | st.text(max_size=400).map(str.encode), st.sampled_from([BOUNCE, COMPLAINT]), st.data())
def test_whatever_comes_is_read_or_passed_over(odd: bytes, sound: str, data: st.DataObject) -> None:
    read_report(f"To: {TO}\nSubject: ".encode() + odd)
    read_report(b"Content-Type: " + odd + f"\nTo: {TO}\n\n".encode() + odd)
    content = sound.encode()
    at = data.draw(st.integers(0, len(content)))
    read_report(content[:at] + odd + content[at + len(odd) :])


def test_parts_within_parts_without_an_end_are_no_report() -> None:
    parts = "".join(f"Content-Type: multipart/mixed; boundary=b{n}\n\n--b{n}\n" for n in range(3_000))
    assert read_report(f"To: {TO}\n{parts}".encode()) is None


def test_a_report_is_the_same_one_however_it_comes() -> None:
    named = f"Message-ID: <1@mx.example>\n{BOUNCE}".replace("STATUS", "5.1.1")
    ids = [
        found.id
        for one in (named, f"Received: by b\n{named}", named.replace("<1@", "<2@"))
        if (found := read_report(one.encode()))
    ]
    assert (ids[0] == ids[1], ids[0] == ids[2], len(set(ids))) == (True, False, 2)
    bare = [read_report(BOUNCE.replace("STATUS", status).encode()) for status in ("5.1.1", "5.1.1", "5.1.2")]
    assert len({one.id for one in bare if one}) == 2
