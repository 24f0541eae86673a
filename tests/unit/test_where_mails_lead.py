"""Every address of ours in a mail is a page of the hub."""

from __future__ import annotations

import re
from datetime import UTC, date, datetime
from types import SimpleNamespace
from typing import Any, cast

import pytest

from services.hub import mails
from services.hub.drafting import DRAFTERS
from services.hub.language import Language
from services.program.context import Context
from services.program.domain.mails import Mail
from services.program.domain.newsletters import Newsletter
from services.program.domain.programs import Program
from services.program.mail.newsletter import newsletter_written
from services.program.mail.notices import NOTICES
from services.program.mail.sender import stop_page
from tests.attack.doors import hub_routes
from tests.unit.hub.test_drafting import FOUND

HERALD = FOUND.public_url
NOW = datetime(2026, 3, 20, tzinfo=UTC)
PROGRAM: Any = SimpleNamespace(id="p1", name="Voices", languages=["en"], time_zone="UTC")


class One:
    """The one lesson or wave that there is."""

    def __init__(self, **values: Any) -> None:
        self._values = values

    async def get(self, _program_id: str, id: str) -> Any:
        return SimpleNamespace(id=id, **self._values)


LESSON = One(readable=True, published=SimpleNamespace(texts={"en": SimpleNamespace(title="First post")}))
WAVE = One(name="Pilot", state="running", ends_on=date(2026, 4, 1))
CONTEXT = cast(
    Context,
    SimpleNamespace(
        lessons=LESSON,
        waves=WAVE,
        settings=SimpleNamespace(public_url=HERALD),
        clock=SimpleNamespace(now=lambda: NOW),
    ),
)


def is_page(address: str) -> bool:
    path = address.removeprefix(HERALD)
    routes = [mails.LINK, *(route for method, route in hub_routes() if method == "GET")]
    patterns = (re.sub(r"\{[a-z_]+\}", "[^/]+", route) for route in routes)
    return any(re.fullmatch(pattern, path) for pattern in patterns)


def test_what_is_no_page_is_told_from_what_is_one() -> None:
    assert is_page(f"{HERALD}/feed/i1")
    assert not is_page(f"{HERALD}/nowhere/i1")


@pytest.mark.parametrize("kind", DRAFTERS)
def test_blocks_of_a_newsletter_lead_to_pages(kind: str) -> None:
    block = DRAFTERS[kind](FOUND, Language("en"))
    assert block is not None
    addresses = [*filter(None, [block.get("link")]), *re.findall(r"\]\(([^)]*)\)", block["text"])]
    assert [one for one in addresses if not is_page(one)] == []


@pytest.mark.parametrize("kind", NOTICES)
async def test_notices_lead_to_pages(kind: str) -> None:
    mail = cast(Mail, SimpleNamespace(kind=kind, subject_id="s1"))
    written = await NOTICES[kind](CONTEXT, mail, cast(Program, PROGRAM), "en")
    assert written is not None
    assert [one.link for one in written.blocks if not is_page(one.link or "")] == []


def test_a_newsletter_leads_to_its_page_and_away_from_mails() -> None:
    newsletter = cast(Newsletter, SimpleNamespace(id="n1", subjects={"en": "March"}, blocks=[], created_at=NOW))
    assert is_page(newsletter_written(newsletter, PROGRAM, "en", HERALD).archive or "")
    assert is_page(stop_page(HERALD, "token", "newsletter", "p1"))
