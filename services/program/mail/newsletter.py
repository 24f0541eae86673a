"""A newsletter as a mail, and as its page in the archive."""

from __future__ import annotations

from services.program.domain.newsletters import Newsletter
from services.program.domain.programs import Program, choose_language
from services.program.mail.layout import ACCENT, Look, Written
from services.program.messages import message

WHITE = "#ffffff"


def look_of(program: Program) -> Look:
    return Look(program.name, program.colour or ACCENT, program.text_colour or WHITE)


def newsletter_written(newsletter: Newsletter, program: Program, language: str, public_url: str) -> Written:
    """What it says in the language of a reader, or the nearest that it has."""
    chosen = choose_language(newsletter.subjects, language, program.languages)
    return Written(
        language=chosen,
        subject=newsletter.subjects[chosen],
        blocks=[block.texts[choose_language(block.texts, chosen, program.languages)] for block in newsletter.blocks],
        why=message("mail.newsletter.why", chosen, program=program.name),
        campaign=f"newsletter-{newsletter.created_at.date().isoformat()}",
        archive=f"{public_url}/programs/{program.id}/newsletters/{newsletter.id}",
    )
