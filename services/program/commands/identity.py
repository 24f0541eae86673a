"""The visual identity of a programme."""

from __future__ import annotations

from collections.abc import Sequence

from chassis import audit
from chassis.mongo import Transaction
from chassis.web.http import Expected, check_version
from chassis.web.problems import Invalid, NotFound
from services.program.audit import IDENTITY
from services.program.commands.pictures import use_picture
from services.program.context import Context
from services.program.domain.identity import Colour, Element, Identity, bare_identity, change_identity

USER = "identity"
"""By this name it uses pictures."""


async def set_identity(
    context: Context,
    tx: Transaction,
    program_id: str,
    version: Expected | None,
    colours: Sequence[Colour],
    elements: Sequence[Element],
) -> Identity:
    """Another identity; pictures that it shows no more are deleted. Raises NotFound, Invalid, PreconditionRequired,
    StaleVersion, Conflict `program-archived`, `picture-in-use`."""
    program = await context.programs.get(program_id, tx)
    known = await context.identities.find(program_id, tx)
    before = known or bare_identity(program)
    check_version(version, before.version)
    after = change_identity(before, program, colours, elements, tx.now)
    if after is not before:
        for number, one in enumerate(after.elements):
            if one.picture_id not in before.pictures:
                await _use(context, tx, program_id, one.picture_id, number)
        for gone in before.pictures - after.pictures:
            await context.pictures.delete(gone, tx)
        if known is None:
            await context.identities.insert(after, tx)
        else:
            await context.identities.save(before, after, tx)
    audit.record(tx, "set_identity", IDENTITY, program_id, before=before, after=after, program_id=program_id)
    return after


async def _use(context: Context, tx: Transaction, program_id: str, picture_id: str, number: int) -> None:
    try:
        await use_picture(context, tx, program_id, picture_id, USER)
    except NotFound:
        detail = "There is no such picture: send it once more."
        raise Invalid.one(f"elements.{number}.picture_id", "unknown", detail) from None
