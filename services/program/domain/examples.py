"""Posts that worked, each with a sentence on why: offered by their authors, or written by those who teach.

    draft ── show ──▶ shown ── retire ──▶ retired ── show ──▶ shown

A colleague's post is here because its author offered it, and for as long as they let it be: what they withdraw, or
leave behind when they leave the programme, is deleted.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Final, Literal

from chassis.web.problems import Conflict, Invalid, Violation
from services.program.domain.programs import check_languages

ExampleState = Literal["draft", "shown", "retired"]
MAX_EXAMPLES: Final = 200
MAX_OFFERED: Final = 10
"""Offers of one person in a programme that wait."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Example:
    """A post that worked. `why` says so in each language of the programme. `author_id` is whose post it is, None for
    one that was written as an example; `named` says that they agreed to be named beside it."""

    id: str
    program_id: str
    version: int = 1
    state: ExampleState = "draft"
    text: str
    network: str
    language: str
    why: Mapping[str, str]
    lesson_id: str | None = None
    """The lesson that it is shown beside."""
    author_id: str | None = None
    post_id: str | None = None
    named: bool = False
    created_at: datetime
    updated_at: datetime

    @property
    def shown_author(self) -> str | None:
        """Whom readers may know as its author."""
        return self.author_id if self.named else None


@dataclass(frozen=True, slots=True)
class Words:
    """What an example says. None leaves the words as they are: those of an author are nobody else's to change."""

    text: str | None
    network: str | None
    language: str | None
    why: Mapping[str, str]
    lesson_id: str | None = None


def offer(
    id: str, program_id: str, *, post_id: str, author_id: str, text: str, network: str, language: str, named: bool,
    now: datetime,
) -> Example:  # fmt: skip
    """A post that its author lets be shown."""
    return Example(
        id=id,
        program_id=program_id,
        text=text,
        network=network,
        language=language,
        why={},
        author_id=author_id,
        post_id=post_id,
        named=named,
        created_at=now,
        updated_at=now,
    )


def name(example: Example, named: bool, now: datetime) -> Example:
    """The example whose author wants to be named or not; the same object if they wanted that before."""
    return example if example.named == named else _next(replace(example, named=named), now)


def write(id: str, program_id: str, words: Words, languages: Sequence[str], now: datetime) -> Example:
    """One that nobody posted. Raises Invalid `required`, `language-unknown`."""
    written = {"text": words.text, "network": words.network, "language": words.language}
    if missing := [Violation(name, "required", "This is needed.") for name, one in written.items() if one is None]:
        raise Invalid("The example cannot be taken.", errors=missing)
    _check_why(words.why, languages)
    return Example(
        id=id,
        program_id=program_id,
        text=words.text or "",
        network=words.network or "",
        language=words.language or "",
        why=dict(words.why),
        lesson_id=words.lesson_id,
        created_at=now,
        updated_at=now,
    )


def change(before: Example, words: Words, languages: Sequence[str], now: datetime) -> Example:
    """The example with other words; the same object if nothing differs. Raises Conflict: `example-shown`, while people
    read it; `example-of-author` for other words of a colleague's post. Raises Invalid `language-unknown`."""
    if before.state == "shown":
        raise Conflict("Take it back before you change it: people read it.", type_="example-shown")
    _check_why(words.why, languages)
    after = replace(
        before,
        text=before.text if words.text is None else words.text,
        network=words.network or before.network,
        language=words.language or before.language,
        why=dict(words.why),
        lesson_id=words.lesson_id,
    )
    own = (after.text, after.network, after.language) == (before.text, before.network, before.language)
    if before.author_id is not None and not own:
        raise Conflict("These are the words of the post's author.", type_="example-of-author")
    return before if after == before else _next(after, now)


def show(before: Example, languages: Sequence[str], now: datetime) -> Example:
    """The example as ambassadors read it; the same object if they do already. Raises Invalid `language-missing` unless
    it says why in each language of the programme."""
    if before.state == "shown":
        return before
    check_languages(before.why, languages, "why")
    return _next(replace(before, state="shown"), now)


def retire(before: Example, now: datetime) -> Example:
    """The example, read no more; the same object if it is retired already."""
    return before if before.state == "retired" else _next(replace(before, state="retired"), now)


def _check_why(why: Mapping[str, str], languages: Sequence[str]) -> None:
    wrong = [
        Violation(f"why.{language}", "language-unknown", "The programme does not have this language.")
        for language in why
        if language not in languages
    ]
    if wrong:
        raise Invalid("The example cannot be taken.", errors=wrong)


def _next(example: Example, now: datetime) -> Example:
    return replace(example, version=example.version + 1, updated_at=now)
