"""What ambassadors ask and say, as they, managers and everybody see it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from chassis.web.http import decode_cursor, encode_cursor
from chassis.web.problems import ForeignCursor
from services.program.context import Context
from services.program.domain.feedback import Feedback, FeedbackKind, FeedbackState, Said
from services.program.domain.programs import choose_language
from services.program.queries.cursors import texts_of

MAX_OWN = 100


@dataclass(frozen=True, slots=True)
class Published:
    """What is in public, in the reader's language where it is in it."""

    feedback: Feedback
    language: str

    @property
    def said(self) -> Said:
        return self.feedback.public[self.language]


async def page(
    context: Context,
    program_id: str,
    kind: FeedbackKind | None,
    state: FeedbackState | None,
    query: str | None,
    cursor: str | None,
    limit: int,
) -> tuple[list[Feedback], str | None, int]:
    """A page, the newest first, the cursor of the next, and how many there are on all. Raises NotFound, Invalid."""
    await context.programs.get(program_id)
    after = texts_of(decode_cursor(cursor), 1)
    found = await context.feedback.page(program_id, kind, state, query, after[0] if after else None, limit + 1)
    following = encode_cursor([found[limit - 1].id]) if len(found) > limit else None
    return found[:limit], following, await context.feedback.count(program_id, kind, state, query)


async def published(
    context: Context,
    program_id: str,
    kind: FeedbackKind,
    language: str | None,
    *,
    done: bool | None = None,
    since: datetime | None = None,
    cursor: str | None = None,
    limit: int = 50,
) -> tuple[list[Published], str | None]:
    """What is in public, the last published first, and the cursor of the next page; `done` with what was done ("you
    said, we did"). Raises NotFound, Invalid."""
    program = await context.programs.get(program_id)
    after = _position(texts_of(decode_cursor(cursor), 2))
    found = await context.feedback.published(program_id, kind, done=done, since=since, after=after, limit=limit + 1)
    following = None
    if len(found) > limit:
        last = found[limit - 1]
        assert last.published_at is not None
        following = encode_cursor([last.published_at.isoformat(), last.id])
    return [Published(one, _language(one, language, program.languages)) for one in found[:limit]], following


def _position(texts: Sequence[str] | None) -> tuple[datetime, str] | None:
    if texts is None:
        return None
    try:
        return datetime.fromisoformat(texts[0]), texts[1]
    except ValueError:
        raise ForeignCursor from None


def _language(feedback: Feedback, wanted: str | None, languages: Sequence[str]) -> str:
    written = [language for language in languages if language in feedback.public] or list(feedback.public)
    return choose_language(feedback.public, wanted, written)
