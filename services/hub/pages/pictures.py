"""Pictures of programmes: shown on pages, and to take."""

from __future__ import annotations

import mimetypes
import re
from typing import Annotated, Final, Literal

from anyascii import anyascii
from fastapi import APIRouter, Query
from starlette.responses import Response

from services.hub.dependencies import SignedIn
from services.hub.paths import v1

router = APIRouter()
PICTURES: Final = "/pictures/"
KEPT: Final = {"Cache-Control": "private, max-age=31536000, immutable"}


@router.get(PICTURES + "{picture_id}")
async def picture(
    view: SignedIn,
    picture_id: str,
    size: Literal["full", "preview"] = "full",
    name: Annotated[str | None, Query(max_length=200)] = None,
) -> Response:
    """A picture, small for a page or whole; under a `name`, as a file to take."""
    media_type, content = await view.apis.file("program", v1("pictures", picture_id), size=size)
    headers = dict(KEPT)
    if name is not None:
        headers["Content-Disposition"] = f'attachment; filename="{file_name(name, media_type)}"'
    return Response(content, media_type=media_type, headers=headers)


def file_name(name: str, media_type: str) -> str:
    """A name that every system takes."""
    plain = re.sub(r"[^A-Za-z0-9]+", "-", anyascii(name)).strip("-").lower()[:80]
    return f"{plain or 'picture'}{mimetypes.guess_extension(media_type) or ''}"
