"""Files that are given out piece by piece."""

from __future__ import annotations

from collections.abc import AsyncIterable
from typing import Final

from starlette.responses import StreamingResponse

from chassis.web.statuses import Responses

CSV: Final[Responses] = {
    200: {"content": {"text/csv": {"schema": {"type": "string"}}}, "description": "CSV, UTF-8 with BOM"}
}
"""The answer of an operation that gives out CSV, for its description."""


def csv_download(lines: AsyncIterable[str | bytes], name: str) -> StreamingResponse:
    """A CSV file of that name, which no cache keeps."""
    headers = {"Content-Disposition": f'attachment; filename="{name}"', "Cache-Control": "no-store"}
    return StreamingResponse(lines, media_type="text/csv; charset=utf-8", headers=headers)
