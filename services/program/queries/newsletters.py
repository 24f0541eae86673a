"""Newsletters as their writers see them, and the archive."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from chassis.web.http import decode_cursor, encode_cursor
from chassis.web.problems import Forbidden, NotFound
from services.program.context import Context
from services.program.domain.newsletters import BlockText, Newsletter, NewsletterState
from services.program.domain.programs import Program
from services.program.mail.layout import Layout, lay_out
from services.program.mail.newsletter import look_of, newsletter_written
from services.program.queries.cursors import texts_of
from services.program.store.newsletters import BEGUN


@dataclass(frozen=True, slots=True)
class Issue:
    """A newsletter that was sent, in one language."""

    id: str
    language: str
    subject: str
    sent_at: datetime
    blocks: Sequence[BlockText]


async def page(
    context: Context, program_id: str, states: Sequence[NewsletterState], cursor: str | None, limit: int
) -> tuple[list[Newsletter], str | None]:
    """Newsletters of a programme, the last one first, and the cursor of the next page. Raises NotFound, Invalid."""
    await context.programs.get(program_id)
    after = texts_of(decode_cursor(cursor), 1)
    found = await context.newsletters.page(program_id, states, after[0] if after else None, limit + 1)
    return found[:limit], encode_cursor([found[limit - 1].id]) if len(found) > limit else None


async def one(context: Context, program_id: str, newsletter_id: str) -> tuple[Newsletter, Mapping[str, int], int]:
    """A newsletter, how many of its mails are in which state, and how many would get it now. Raises NotFound."""
    found = await context.newsletters.get(program_id, newsletter_id)
    counts = await context.mails.counts(found.id) if found.state in ("sending", "stopped") else found.counts
    return found, counts, await context.segments.count_recipients(program_id, found.segment)


async def layout(context: Context, program_id: str, newsletter_id: str, language: str | None) -> Layout:
    """The mail as its readers see it. Raises NotFound."""
    found = await context.newsletters.get(program_id, newsletter_id)
    program = await context.programs.get(program_id)
    written = newsletter_written(found, program, language or program.languages[0], context.settings.public_url)
    return lay_out(written, look_of(program))


ARCHIVED: Final[tuple[NewsletterState, ...]] = BEGUN


async def archive(
    context: Context, program_id: str, language: str | None, cursor: str | None, limit: int
) -> tuple[list[Issue], str | None]:
    """What was sent, the last one first, and the cursor of the next page. Raises NotFound, Invalid."""
    found, following = await page(context, program_id, ARCHIVED, cursor, limit)
    program = await context.programs.get(program_id)
    return [_issue(one, program, language) for one in found], following


async def issue(context: Context, program_id: str, newsletter_id: str, language: str | None) -> Issue:
    """One that was sent. Raises NotFound."""
    found = await context.newsletters.get(program_id, newsletter_id)
    if not found.archived:
        raise NotFound("newsletter", newsletter_id)
    return _issue(found, await context.programs.get(program_id), language)


async def check_reader(context: Context, program_id: str, person_id: str) -> None:
    """Raises Forbidden `not-a-member`."""
    if program_id not in (await context.people.get(person_id)).joined:
        raise Forbidden("The archive is for the programme's ambassadors.", type_="not-a-member")


def _issue(newsletter: Newsletter, program: Program, language: str | None) -> Issue:
    written = newsletter_written(newsletter, program, language or program.languages[0], "")
    assert newsletter.begun_at is not None
    return Issue(newsletter.id, written.language, written.subject, newsletter.begun_at, written.blocks)
