"""Pictures of a programme: kept when they are sent, deleted with what shows them."""

from __future__ import annotations

from base64 import b64decode
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any, Final

from chassis import audit
from chassis.ids import new_id
from chassis.mongo import Transaction
from chassis.offload import MEBIBYTE, TooMuchWork
from chassis.web.problems import Conflict, Invalid, Refused, Violation
from services.program.audit import PICTURE
from services.program.context import Context
from services.program.domain import programs
from services.program.domain.pictures import MAX_PIXELS, MAX_STORED, Picture, Size, encode

MAX_PICTURES = 100
"""Of one programme."""
_FAULTS: Final = (
    Violation("picture", "not-a-picture", "This is no PNG, JPEG or WebP picture."),
    Violation("picture", "svg", "An SVG file can hold a script: send it as PNG."),
    Violation("picture", "too-many-pixels", "It has too many pixels.", params={"max": MAX_PIXELS // 1_000_000}),
    Violation("picture", "picture-too-large", "It takes too much room.", params={"max": MAX_STORED // MEBIBYTE}),
)


@dataclass(frozen=True, slots=True)
class Encoded:
    """A picture as it is kept."""

    media_type: str
    width: int
    height: int
    content: Mapping[Size, bytes]


async def encode_picture(context: Context, body: bytes) -> Encoded:
    """Make a picture anew, upright and without metadata. Raises Invalid for the field `picture`: `not-a-picture`,
    `svg`, `too-many-pixels` or `picture-too-large` (both with `max`); Overloaded."""
    items: list[Any] = []
    try:
        async with context.offload.stream(encode, body) as found:
            items = [item async for item in found]
    except TooMuchWork:
        items = [{"rule": "not-a-picture"}]
    head = items[0]
    if "rule" in head:
        raise Invalid("The picture cannot be taken.", errors=[one for one in _FAULTS if one.rule == head["rule"]])
    full, preview = (b64decode(one) for one in items[1:])
    return Encoded(**head, content={"full": full, "preview": preview})


async def keep_picture(context: Context, tx: Transaction, program_id: str, encoded: Encoded) -> Picture:
    """A picture that nothing shows yet. Raises NotFound, Conflict `program-archived`, Refused `too-many-pictures`."""
    programs.check_active(await context.programs.get(program_id, tx))
    if await context.pictures.count(program_id, tx) >= MAX_PICTURES:
        raise Refused(f"A programme has at most {MAX_PICTURES} pictures.", type_="too-many-pictures")
    picture = Picture(
        id=new_id(),
        program_id=program_id,
        media_type=encoded.media_type,
        width=encoded.width,
        height=encoded.height,
        size=len(encoded.content["full"]),
        created_at=tx.now,
    )
    await context.pictures.insert(picture, encoded.content, tx)
    audit.record(tx, "add_picture", PICTURE, picture.id, after=picture, program_id=program_id)
    return picture


async def use_picture(context: Context, tx: Transaction, program_id: str, id: str, by: str) -> Picture:
    """Say what shows a picture: `by` names it. Raises NotFound, Conflict `picture-in-use` where another does."""
    picture = await context.pictures.get(program_id, id, tx)
    if picture.used_by not in (None, by):
        raise Conflict("This picture is shown elsewhere: send it once more.", type_="picture-in-use")
    await context.pictures.set_user(picture, by, tx)
    return replace(picture, used_by=by)


async def replace_picture(
    context: Context, tx: Transaction, program_id: str, before: str | None, after: str | None, by: str
) -> None:
    """Have `by` show another picture, or none: the one it showed is deleted. Raises as `use_picture` does."""
    if after == before:
        return
    if after is not None:
        await use_picture(context, tx, program_id, after, by)
    if before is not None:
        await context.pictures.delete(before, tx)
