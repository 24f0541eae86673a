"""Reading a newsletter back from the files of the mailbox."""

from __future__ import annotations

from email.message import EmailMessage
from email.policy import SMTP
from pathlib import Path

import pytest

from herald.demo.mails import Received, newsletters, once_each, said_everywhere
from herald.development.mailbox import Mailbox
from services.hub.language import Language

SHARES = Language("en").compact(3120)
ENGLISH = f"What you brought\n- 24 active ambassadors\n- {SHARES} shares\n- 900 clicks by people\n"
FRENCH = "Ce que vous avez apporté\n- 24 ambassadeurs actifs\n- 3\u202f120 partages\n- 900 clics de personnes\n"


def mail(text: str, *, program: str = "program", newsletter: str = "letter", kind: str = "newsletter") -> bytes:
    message = EmailMessage()
    message["List-Id"] = f"<{kind}.{program}.herald.example>"
    message.set_content(f"{text}\nArchive: http://127.0.0.1/newsletters/{newsletter}?utm_source=mail\n")
    message.add_alternative("<p>24</p>", subtype="html")
    message["Content-Language"] = "en" if text == ENGLISH else "fr"
    return message.as_bytes(policy=SMTP)


def test_the_mails_of_one_newsletter(tmp_path: Path) -> None:
    box = Mailbox(tmp_path / "mails")
    box.keep("bounce@herald.example", "ann@company.example", mail(ENGLISH))
    box.keep("bounce@herald.example", "bob@company.example", mail(FRENCH))
    box.keep("bounce@herald.example", "bob@company.example", mail(ENGLISH, newsletter="another"))
    box.keep("bounce@herald.example", "bob@company.example", mail(ENGLISH, program="another"))
    box.keep("bounce@herald.example", "bob@company.example", mail(ENGLISH, kind="invitation"))
    found = newsletters(tmp_path / "mails", "program", "letter")
    assert [one.recipient for one in found] == ["ann@company.example", "bob@company.example"]
    assert said_everywhere(found, "shares", 3120) == 3120
    assert said_everywhere(found, "clicks_counted", 900) == 900
    assert said_everywhere(found, "active_ambassadors", 24) == 24


@pytest.mark.parametrize("text", [ENGLISH.replace(SHARES, "3121"), ENGLISH.replace(f"- {SHARES} shares\n", "")])
def test_one_mail_that_says_otherwise(text: str) -> None:
    mails = [Received("ann@company.example", "en", ENGLISH), Received("bob@company.example", "en", text)]
    assert said_everywhere(mails, "shares", 3120) == -1
    assert said_everywhere([], "shares", 3120) == -1


def test_who_got_exactly_one() -> None:
    mails = [Received(who, "en", "") for who in ("ann", "bob", "ann")]
    assert once_each(mails) == {"bob"}
