"""The visual identity of a programme as a reader sees it."""

from __future__ import annotations

from dataclasses import dataclass

from chassis.mongo import Transaction
from services.program.context import Context
from services.program.domain.identity import Element, Identity, bare_identity
from services.program.domain.pictures import Picture
from services.program.domain.programs import choose_language


@dataclass(frozen=True, slots=True)
class Shown:
    """An element with its picture, and the language of its words for this reader."""

    element: Element
    picture: Picture
    language: str


async def identity(
    context: Context, program_id: str, language: str | None, tx: Transaction | None = None
) -> tuple[Identity, list[Shown]]:
    """Raises NotFound."""
    program = await context.programs.get(program_id, tx)
    found = await context.identities.find(program_id, tx) or bare_identity(program)
    pictures = await context.pictures.get_many(found.pictures, tx)
    shown = [
        Shown(one, pictures[one.picture_id], choose_language(one.titles, language, program.languages))
        for one in found.elements
        if one.picture_id in pictures
    ]
    return found, shown
