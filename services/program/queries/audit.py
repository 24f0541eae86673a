"""Pages of the audit trail."""

from __future__ import annotations

from collections.abc import AsyncIterator
from datetime import datetime
from typing import Any

from chassis.spreadsheet import BOM, csv_lines, delimiter
from chassis.web.http import decode_cursor, encode_cursor
from chassis.web.problems import ForeignCursor
from herald_contracts.base import in_utc
from services.program.context import Context
from services.program.domain import audit
from services.program.domain.audit import Act, ActFilter
from services.program.queries.cursors import EXPORT_PAGE, texts_of


async def page(context: Context, wanted: ActFilter, cursor: str | None, limit: int) -> tuple[list[Act], str | None]:
    """Acts of the audit trail, newest first, and the cursor of the next page. Raises Invalid."""
    found = await context.audit_trail.page(wanted, _moment(decode_cursor(cursor)), limit + 1)
    last = found[limit - 1] if len(found) > limit else None
    return found[:limit], encode_cursor([last.occurred_at.isoformat(), last.id]) if last else None


def _moment(position: Any) -> tuple[datetime, str] | None:
    texts = texts_of(position, 2)
    if texts is None:
        return None
    try:
        return in_utc(datetime.fromisoformat(texts[0])), texts[1]
    except ValueError:
        raise ForeignCursor from None


async def export(context: Context, wanted: ActFilter, language: str) -> AsyncIterator[str]:
    """Acts of the audit trail as CSV: safe to open in a spreadsheet of that language."""
    sign = delimiter(language)
    yield BOM + csv_lines([audit.COLUMNS], sign)
    before: tuple[datetime, str] | None = None
    while found := await context.audit_trail.page(wanted, before, EXPORT_PAGE):
        yield csv_lines((line for act in found for line in audit.exported(act)), sign)
        before = found[-1].occurred_at, found[-1].id
