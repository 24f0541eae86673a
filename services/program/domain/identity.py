"""A programme's visual identity: its colours, and logos and pictures to take, or to see what not to do."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Final, Literal

from chassis.web.problems import Invalid, Violation
from services.program.domain.programs import Program, check_active

ElementKind = Literal["logo", "picture", "avoid"]
"""`avoid` shows what not to do."""
MAX_COLOURS: Final = 20
MAX_ELEMENTS: Final = 60


@dataclass(frozen=True, slots=True)
class Colour:
    """`value` is `#rrggbb`."""

    name: str
    value: str


@dataclass(frozen=True, slots=True)
class Element:
    """A picture with what it shows (`titles`) and how it is used (`notes`), by language."""

    picture_id: str
    kind: ElementKind
    titles: Mapping[str, str]
    notes: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Identity:
    """What a programme's posts may look like; `id` is the programme's."""

    id: str
    version: int
    colours: tuple[Colour, ...]
    elements: tuple[Element, ...]
    updated_at: datetime

    @property
    def pictures(self) -> frozenset[str]:
        return frozenset(one.picture_id for one in self.elements)


def bare_identity(program: Program) -> Identity:
    """That of a programme that was not given any."""
    return Identity(program.id, 1, (), (), program.created_at)


def change_identity(
    before: Identity, program: Program, colours: Sequence[Colour], elements: Sequence[Element], now: datetime
) -> Identity:
    """Another one; the same object if nothing changes. Raises Conflict `program-archived`; Invalid: `duplicate` for a
    colour or a picture that is there twice, `language-missing` and `language-unknown` for titles, `language-unknown`
    for notes."""
    check_active(program)
    wanted = replace(before, colours=tuple(colours), elements=tuple(elements))
    if wanted == before:
        return before
    if wrong := list(_faults(wanted, program.languages)):
        raise Invalid("The identity cannot be taken.", errors=wrong)
    return replace(wanted, version=before.version + 1, updated_at=now)


def _faults(identity: Identity, languages: Sequence[str]) -> Iterator[Violation]:
    values = [one.value for one in identity.colours]
    for number, value in enumerate(values):
        if value in values[:number]:
            yield Violation(f"colours.{number}.value", "duplicate", "This colour is there twice.")
    ids = [one.picture_id for one in identity.elements]
    for number, one in enumerate(identity.elements):
        at = f"elements.{number}"
        if one.picture_id in ids[:number]:
            yield Violation(f"{at}.picture_id", "duplicate", "This picture is there twice.")
        for language in languages:
            if language not in one.titles:
                detail, where = f"A text in {language} is needed.", f"{at}.titles.{language}"
                yield Violation(where, "language-missing", detail, params={"language": language})
        for name, texts in (("titles", one.titles), ("notes", one.notes)):
            for language in texts:
                if language not in languages:
                    detail = "The programme does not have this language."
                    yield Violation(f"{at}.{name}.{language}", "language-unknown", detail)
