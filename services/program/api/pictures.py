"""Pictures of programmes: sent by managers, seen by everybody of the company."""

from __future__ import annotations

from typing import Annotated, Any

from fastapi import Query, Request, Response

from chassis.web.http import Router, Unit, consumes, limited
from chassis.web.statuses import problems
from services.program.api.base import Manager, ProgramReader, Use
from services.program.commands import pictures
from services.program.domain.pictures import MEDIA_TYPES, PREVIEW_TYPE, Size
from services.program.schemas.pictures import PictureView

router = Router(tags=["pictures"])
ACCEPTED = (*MEDIA_TYPES.values(), "application/octet-stream")
_BINARY: dict[str, Any] = {"schema": {"type": "string", "format": "binary"}}
_FILE: dict[str, Any] = {
    "requestBody": {
        "required": True,
        "description": "PNG, JPEG or WebP, told by its content: at most 10 MiB and 40 million pixels.",
        "content": dict.fromkeys(ACCEPTED, _BINARY),
    }
}
_CONTENT: dict[int | str, dict[str, Any]] = {
    200: {"content": dict.fromkeys(MEDIA_TYPES.values(), _BINARY), "description": "The picture"}
}
HEADERS = {
    "Cache-Control": "private, max-age=31536000, immutable",
    "X-Content-Type-Options": "nosniff",
    "Content-Security-Policy": "default-src 'none'; sandbox",
}
"""What is under an id never changes; and nothing that it might hold is ever run."""


@router.post(
    "/pictures",
    summary="Send a picture",
    response_model=PictureView,
    status_code=201,
    responses=problems(404),
    openapi_extra=_FILE,
    dependencies=[consumes(*ACCEPTED), limited("uploads")],
)
async def send_picture(
    request: Request, program_id: Annotated[str, Query(max_length=128)], _: Manager, unit: Unit, context: Use
) -> Response:
    """A picture for something in the programme to show, which names it by its id within a day. It is made anew:
    upright, in sRGB, at most 4096 pixels a side, a first frame of what moves, and without metadata. 422
    `not-a-picture`, `svg`, `too-many-pixels`, `picture-too-large`."""
    encoded = await pictures.encode_picture(context, await request.body())
    return await unit.run(
        lambda tx: pictures.keep_picture(context, tx, program_id, encoded), view=PictureView.model_validate, status=201
    )


@router.get(
    "/pictures/{picture_id}",
    summary="A picture",
    response_class=Response,
    responses=_CONTENT,
)
async def get_picture(picture_id: str, _: ProgramReader, context: Use, size: Size = "full") -> Response:
    """Its bytes; as a `preview`, WebP of at most 480 pixels a side."""
    picture, content = await context.pictures.content(picture_id, size)
    media_type = PREVIEW_TYPE if size == "preview" else picture.media_type
    return Response(content, media_type=media_type, headers=HEADERS)
