"""What was typed, put back into the page that its form is on, with what is wrong beside each field."""

from __future__ import annotations

import html
import re
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final, NamedTuple
from urllib.parse import unquote

from services.hub.forms.markup import Control, Form, Tag, forms_of

FRESH: Final = frozenset(("csrf", "page", "key"))
"""Hidden fields that are of the page and not of what was typed in it."""
STORED: Final = "stored."
"""Before the name of a field: take what is stored instead of what is in the field."""
MIN_IN_COMMON: Final = 0.5
Typed = Mapping[str, Sequence[str]]
Edit = tuple[int, int, str]
_IDS: Final = re.compile(r'\s(?:id|for)="[^"]*"')


class Place(NamedTuple):
    """A field of a form, by its name and by its number among those of that name."""

    name: str
    number: int = 0


@dataclass(frozen=True, slots=True)
class Fault:
    """What is wrong with a field, which is at the first of the places that the form has; or with the form."""

    places: Sequence[Place]
    sentence: str
    where: str = ""
    """Where it is, for who finds it beside no field."""

    @property
    def elsewhere(self) -> str:
        return " · ".join(filter(None, (self.where, self.sentence)))


@dataclass(frozen=True, slots=True)
class Marked:
    """A field in the summary: where it is, what it is called, and what is wrong with it."""

    href: str
    label: str
    sentence: str


@dataclass(frozen=True, slots=True)
class Difference:
    """A field in which somebody else has stored something else: `value` is what the form sends for it."""

    name: str
    value: str
    shown: str
    ticked: bool = False


@dataclass(frozen=True, slots=True)
class Way:
    """How a form is filled. `summary` is made of the marked fields, of the faults that have no field, and of whether
    the form has a file, which no page can put back."""

    summary: Callable[[list[Marked], list[str], bool], str]
    difference: Callable[[Difference], str]
    faults: Sequence[Fault] = ()
    newer: bool = False
    """Whether what is sent next goes on top of what the page shows, and not of what was shown when it was typed."""
    differences: bool = False
    """Whether both are shown where the page shows something else than what was typed."""


def fill(page: str, path: str, typed: Typed, way: Way) -> str | None:
    """The page with its form as it was sent to `path`; None where no form of the page is that one."""
    form = find_form(forms_of(page), path, typed)
    if form is None:
        return None
    if edits := list(_row_edits(page, form, typed, keep=way.differences)):
        page = _edited(page, edits)
        form = find_form(forms_of(page), path, typed)
        assert form is not None
    return _edited(page, _Filling(form, typed, way).edits)


def _edited(page: str, edits: Iterable[Edit]) -> str:
    """The page with pieces of it replaced; of two at one place the first stands first."""
    parts: list[str] = []
    at = 0
    for start, end, text in sorted(edits, key=lambda edit: edit[:2]):
        parts += [page[at:start], text]
        at = end
    return "".join((*parts, page[at:]))


def with_stored(sent: Iterable[tuple[str, Any]]) -> list[tuple[str, Any]]:
    """The fields of a form, with what is stored in place of what was typed where that was chosen (`Difference`)."""
    fields: list[tuple[str, Any]] = []
    chosen: dict[str, Any] = {}
    for name, value in sent:
        if name.startswith(STORED):
            chosen[name.removeprefix(STORED)] = value
        else:
            fields.append((name, value))
    for key, value in chosen.items():
        name, _, which = key.partition(".")
        if which.startswith("="):
            fields = [one for one in fields if one != (name, which[1:])] + ([(name, which[1:])] if value else [])
        elif which == "*":
            fields = [one for one in fields if one[0] != name] + [(name, one) for one in value.splitlines()]
        else:
            places = [at for at, one in enumerate(fields) if one[0] == name]
            if which.isdecimal() and len(which) < 6 and int(which) < len(places):
                fields[places[int(which)]] = (name, value)
    return fields


def find_form(forms: Iterable[Form], path: str, typed: Typed) -> Form | None:
    """The form that was sent to a path, the one with the same hidden fields. Where none leads there any more, the one
    that has most of its fields."""
    sent = typed.keys() - FRESH

    def same(form: Form) -> int:
        hidden = [one for one in form.controls if one.hidden and one.name not in FRESH]
        return sum(1 if one.value in typed.get(one.name, ()) else -1 for one in hidden)

    def common(form: Form) -> float:
        names = form.names - FRESH
        return len(names & sent) / max(1, len(names | sent))

    known = list(forms)
    if leading := [one for one in known if unquote(one.action.partition("?")[0]) == path]:
        return max(leading, key=lambda one: (same(one), common(one)))
    return max((one for one in known if common(one) >= MIN_IN_COMMON), key=common, default=None)


def _row_edits(page: str, form: Form, typed: Typed, *, keep: bool) -> Iterator[Edit]:
    """Makes as many rows of each group as were sent; with `keep`, none that is stored is taken away."""
    for rows in form.groups().values():
        names = {one.name for row in rows for one in form.within(row.tag) if not one.hidden}
        wanted = max((len(typed[name]) for name in names if name in typed), default=len(rows))
        last = rows[-1].tag
        if wanted > len(rows):
            row = _IDS.sub("", page[last.start : last.close])
            yield last.close, last.close, row * (wanted - len(rows))
        elif not keep:
            yield from ((row.tag.start, row.tag.close, "") for row in rows[max(1, wanted) :])


class _Filling:
    """The edits that fill a form."""

    def __init__(self, form: Form, typed: Typed, way: Way) -> None:
        self.edits: list[Edit] = []
        self._typed = typed
        self._way = way
        self._faults: dict[Place, str] = {}
        self._marked: list[Marked] = []
        self._changes: dict[str, str | None] = {}
        elsewhere: list[str] = []
        names = {one.name for one in form.controls if not one.hidden}
        for fault in way.faults:
            place = next((one for one in fault.places if one.name in names), None)
            if place is None or place in self._faults:
                elsewhere.append(fault.elsewhere)
            else:
                self._faults[place] = fault.sentence
        numbers: dict[str, int] = {}
        for control in form.controls:
            numbers[control.name] = number = numbers.get(control.name, -1) + 1
            self._control(control, number)
        for tag in form.details:
            self._rewrite(tag, open="")
        self._rewrite(form.tag, **{"data-kept": ""})
        elsewhere += self._faults.values()
        has_file = any(one.kind == "file" for one in form.controls)
        self._insert(form.tag.end, way.summary(self._marked, list(dict.fromkeys(elsewhere)), has_file))

    def _insert(self, at: int, text: str) -> None:
        if text:
            self.edits.append((at, at, text))

    def _rewrite(self, tag: Tag, **changes: str | None) -> None:
        edit = (tag.start, tag.end, tag.rewritten(**changes))
        if edit not in self.edits and any(tag.attributes.get(name) != value for name, value in changes.items()):
            self.edits.append(edit)

    def _control(self, control: Control, number: int) -> None:
        self._changes = {"autofocus": None}
        if not control.hidden:
            self._mark(control, number)
            if self._way.differences and (other := _difference(control, number, self._typed)) is not None:
                self._insert(control.after, self._way.difference(other))
        self._put(control, number)
        self._rewrite(control.tag, **self._changes)

    def _mark(self, control: Control, number: int) -> None:
        sentence = self._faults.pop(Place(control.name, number), None)
        if sentence is None:
            return
        id = control.tag.attributes.get("id") or f"field-{control.name}-{number}"
        described = f"error-{id} {control.tag.attributes.get('aria-describedby', '')}".strip()
        focused = None if self._marked else ""
        self._changes = {"id": id, "aria-invalid": "true", "aria-describedby": described, "autofocus": focused}
        message = f'<p class="error" id="error-{html.escape(id)}">{html.escape(sentence)}</p>'
        self._insert(control.after, message)
        self._marked.append(Marked(f"#{id}", control.label or control.name, sentence))
        for tag in control.details:
            self._rewrite(tag, open="")

    def _put(self, control: Control, number: int) -> None:
        """Puts what was typed into a control."""
        given = self._typed.get(control.name, ())
        if control.ticked:
            self._changes["checked"] = "" if control.value in given else None
        elif control.kind == "select":
            self._choose(control, given if control.multiple else given[number : number + 1])
        elif number >= len(given) or control.kind == "file" or (control.hidden and self._of_page(control.name)):
            return
        elif control.kind == "textarea":
            text = html.escape(given[number])
            lead = "\n" if text.startswith("\n") else ""
            self.edits.append((control.tag.end, control.tag.inner, lead + text))
        else:
            self._changes["value"] = given[number]

    def _of_page(self, name: str) -> bool:
        return name in FRESH or (self._way.newer and name.endswith("version"))

    def _choose(self, control: Control, given: Sequence[str]) -> None:
        """Selects what was chosen, also where it is no option any more."""
        if not given and not control.multiple:
            return
        for option in control.options:
            self._rewrite(option.tag, selected="" if option.value in given else None)
        known = {option.value for option in control.options}
        more = [html.escape(one) for one in given if one not in known]
        self._insert(control.tag.inner, "".join(f'<option value="{one}" selected>{one}</option>' for one in more))


def _difference(control: Control, number: int, typed: Typed) -> Difference | None:
    given = typed.get(control.name, ())
    if control.ticked:
        if (control.value in given) == control.checked:
            return None
        return Difference(f"{control.name}.={control.value}", "on" if control.checked else "", "", ticked=True)
    texts = {one.value: one.text for one in control.options}
    if control.multiple:
        if sorted(control.chosen) == sorted(given):
            return None
        shown = ", ".join(texts[one] for one in control.chosen)
        return Difference(f"{control.name}.*", "\n".join(control.chosen), shown)
    if control.kind == "file" or number >= len(given) or given[number].strip() == control.value.strip():
        return None
    return Difference(f"{control.name}.{number}", control.value, texts.get(control.value, control.value))
