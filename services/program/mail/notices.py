"""What a notice says: one writer for each kind of mail that is no newsletter, with its words in the catalogues."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from typing import Final

from chassis.web.problems import NotFound
from services.program.context import Context
from services.program.domain.mails import Mail
from services.program.domain.newsletters import BlockText
from services.program.domain.programs import Program, choose_language, today
from services.program.domain.waves import state_on
from services.program.mail.layout import Written
from services.program.messages import day, message

Writer = Callable[[Context, Mail, Program, str], Awaitable[Written | None]]
"""What a notice says in a language; None where there is nothing to say any more."""


async def _invitation(context: Context, mail: Mail, program: Program, language: str) -> Written | None:
    text = BlockText(
        text=message("mail.invitation.text", language, program=program.name),
        link=f"{context.settings.public_url}/join",
        link_text=message("mail.invitation.link", language),
    )
    return _notice(mail, program, language, text)


async def _lesson_reminder(context: Context, mail: Mail, program: Program, language: str) -> Written | None:
    try:
        lesson = await context.lessons.get(program.id, mail.subject_id)
    except NotFound:
        return None
    if lesson.published is None or not lesson.readable:
        return None
    texts = lesson.published.texts
    title = texts[choose_language(texts, language, program.languages)].title
    text = BlockText(
        text=message("mail.lesson-reminder.text", language, lesson=title),
        link=f"{context.settings.public_url}/programs/{program.id}/lessons/{lesson.id}",
        link_text=message("mail.lesson-reminder.link", language),
    )
    return _notice(mail, program, language, text)


async def _wave_reminder(context: Context, mail: Mail, program: Program, language: str) -> Written | None:
    try:
        wave = await context.waves.get(program.id, mail.subject_id)
    except NotFound:
        return None
    if state_on(wave, today(program, context.clock.now())) != "running":
        return None
    last_day = day(wave.ends_on, language)
    text = BlockText(
        text=message("mail.wave-reminder.text", language, wave=wave.name, day=last_day),
        link=f"{context.settings.public_url}/feed",
        link_text=message("mail.wave-reminder.link", language),
    )
    return _notice(mail, program, language, text)


NOTICES: Final[Mapping[str, Writer]] = {
    "invitation": _invitation,
    "lesson-reminder": _lesson_reminder,
    "wave-reminder": _wave_reminder,
}


def _notice(mail: Mail, program: Program, language: str, block: BlockText) -> Written:
    return Written(
        language=language,
        subject=message(f"mail.{mail.kind}.subject", language, program=program.name),
        blocks=[block],
        why=message(f"mail.{mail.kind}.why", language, program=program.name),
        campaign=mail.kind,
    )
