"""The forms of a page of ours: their controls, with where each is in the page's text."""

from __future__ import annotations

import html
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from html.parser import HTMLParser
from typing import Final

Attributes = dict[str, str]
"""An attribute without a value has an empty one."""
VOID: Final = frozenset(("area", "base", "br", "col", "embed", "hr", "img", "input", "link", "meta", "source", "wbr"))
CONTROLS: Final = frozenset(("input", "textarea", "select"))
NOT_TYPED: Final = frozenset(("submit", "button", "reset", "image"))
_SPACES: Final = re.compile(r"\s+")


@dataclass
class Tag:
    """An element by its start tag; `close` is the end of its end tag, or of the start tag where there is none."""

    name: str
    attributes: Attributes
    start: int
    end: int
    close: int = -1
    inner: int = -1
    """Where its end tag begins."""

    def rewritten(self, **changes: str | None) -> str:
        """The start tag with other attributes; one that becomes None is taken out."""
        found = {**self.attributes, **changes}
        parts = [
            f'{name}="{html.escape(value)}"' if value else name for name, value in found.items() if value is not None
        ]
        return f"<{' '.join((self.name, *parts))}>"


@dataclass
class Option:
    tag: Tag
    value: str
    text: str
    selected: bool


@dataclass
class Control:
    """A control: `value` is what a browser would send for it, `checked` whether it would."""

    tag: Tag
    kind: str
    name: str
    value: str
    checked: bool = False
    label: str = ""
    after: int = -1
    """Where a message about it goes: behind it, and behind the label that it is in."""
    options: list[Option] = field(default_factory=list)
    details: tuple[Tag, ...] = ()

    @property
    def hidden(self) -> bool:
        return self.kind == "hidden"

    @property
    def multiple(self) -> bool:
        return "multiple" in self.tag.attributes and self.kind == "select"

    @property
    def chosen(self) -> list[str]:
        """The values of the options that are selected."""
        return [one.value for one in self.options if one.selected] or ([] if self.multiple else [self.value])

    @property
    def ticked(self) -> bool:
        return self.kind in ("checkbox", "radio")


@dataclass
class Row:
    """One of several equal parts of a form, such as a caption: the element that has `data-row`."""

    group: str
    tag: Tag


@dataclass
class Form:
    """A form that is sent by POST."""

    tag: Tag
    controls: list[Control] = field(default_factory=list)
    rows: list[Row] = field(default_factory=list)
    details: tuple[Tag, ...] = ()

    @property
    def action(self) -> str:
        return self.tag.attributes.get("action", "")

    @property
    def names(self) -> set[str]:
        return {one.name for one in self.controls}

    def named(self, name: str) -> list[Control]:
        return [one for one in self.controls if one.name == name]

    def groups(self) -> dict[str, list[Row]]:
        found: dict[str, list[Row]] = {}
        for row in self.rows:
            found.setdefault(row.group, []).append(row)
        return found

    def within(self, tag: Tag) -> Iterator[Control]:
        return (one for one in self.controls if tag.start <= one.tag.start < tag.close)


def forms_of(page: str) -> list[Form]:
    """The forms of a page that are sent by POST, in their order."""
    reader = _Reader(page)
    reader.feed(page)
    reader.close()
    return reader.found()


class _Reader(HTMLParser):
    def __init__(self, page: str) -> None:
        super().__init__(convert_charrefs=True)
        self._page = page
        self._lines = [0]
        for line in page.split("\n"):
            self._lines.append(self._lines[-1] + len(line) + 1)
        self._open: list[Tag] = []
        self._forms: list[Form] = []
        self._controls: list[tuple[Control, Form | None]] = []
        self._rows: list[tuple[Row, Form | None]] = []
        self._form: Form | None = None
        self._label: tuple[Tag, list[str], list[Control]] | None = None
        self._labels: dict[str, str] = {}
        self._select: Control | None = None
        self._unlabelled = 0
        """How deep in what is inside of a label and does not name its control: a hint, the text of a control."""

    def found(self) -> list[Form]:
        by_id = {form.tag.attributes["id"]: form for form in self._forms if form.tag.attributes.get("id")}
        for control, around in self._controls:
            attributes = control.tag.attributes
            form = by_id.get(attributes.get("form", ""), around)
            if control.after < 0:
                control.after = control.tag.close
            labels = (control.label, self._labels.get(attributes.get("id", ""), ""), attributes.get("aria-label", ""))
            control.label = next(filter(None, labels), "")
            if form is not None:
                form.controls.append(control)
        for row, around in self._rows:
            if around is not None:
                around.rows.append(row)
        return [form for form in self._forms if form.tag.attributes.get("method", "").lower() == "post"]

    def _at(self) -> int:
        line, column = self.getpos()
        return self._lines[line - 1] + column

    def handle_startendtag(self, tag: str, attrs: Sequence[tuple[str, str | None]]) -> None:
        if tag in VOID:
            self.handle_starttag(tag, attrs)

    def handle_starttag(self, tag: str, attrs: Sequence[tuple[str, str | None]]) -> None:
        start = self._at()
        found = Tag(
            tag, {name: value or "" for name, value in attrs}, start, start + len(self.get_starttag_text() or "")
        )
        found.close = found.inner = found.end
        if tag not in VOID:
            self._open.append(found)
        around = self._details()
        if tag == "form":
            self._form = Form(found, details=around)
            self._forms.append(self._form)
        elif tag == "label":
            self._label = (found, [], [])
        elif tag in CONTROLS:
            self._begin_control(found, around)
        elif tag == "option" and self._select is not None:
            value, selected = found.attributes.get("value", ""), "selected" in found.attributes
            self._select.options.append(Option(found, value, "", selected))
        if "data-row" in found.attributes:
            self._rows.append((Row(found.attributes["data-row"], found), self._form))
        if self._label is not None and tag not in VOID and (self._unlabelled or _says_no_name(found)):
            self._unlabelled += 1

    def _details(self) -> tuple[Tag, ...]:
        return tuple(one for one in self._open if one.name == "details")

    def _begin_control(self, tag: Tag, around: tuple[Tag, ...]) -> None:
        kind = (tag.attributes.get("type") or "text").lower() if tag.name == "input" else tag.name
        if kind in NOT_TYPED or not tag.attributes.get("name"):
            return
        default = "on" if kind in ("checkbox", "radio") else ""
        value = tag.attributes.get("value", default)
        control = Control(tag, kind, tag.attributes["name"], value, details=around)
        control.checked = "checked" in tag.attributes
        self._controls.append((control, self._form))
        if self._label is not None and kind != "hidden":
            self._label[2].append(control)
        if tag.name == "select":
            self._select = control

    def handle_endtag(self, tag: str) -> None:
        if not any(one.name == tag for one in self._open):
            return
        while self._open:
            closed = self._open.pop()
            if self._label is not None and self._unlabelled:
                self._unlabelled -= 1
            closed.inner = self._at()
            closed.close = self._page.index(">", closed.inner) + 1 if closed.name == tag else closed.inner
            self._end(closed)
            if closed.name == tag:
                return

    def _end(self, closed: Tag) -> None:
        match closed.name:
            case "form":
                self._form = None
            case "textarea":
                for control, _ in self._controls:
                    if control.tag is closed:
                        text = html.unescape(self._page[closed.end : closed.inner])
                        control.value = text.removeprefix("\n")
            case "option" if self._select is not None:
                option = self._select.options[-1]
                option.text = _plain(html.unescape(self._page[closed.end : closed.inner]))
                if "value" not in closed.attributes:
                    option.value = option.text
            case "select" if self._select is not None:
                chosen = [one.value for one in self._select.options if one.selected]
                chosen = chosen or [one.value for one in self._select.options[:1]]
                self._select.value = chosen[0] if chosen else ""
                self._select = None
            case "label" if self._label is not None:
                self._name(closed)

    def _name(self, closed: Tag) -> None:
        assert self._label is not None
        tag, said, inside = self._label
        words = _plain(" ".join(said))
        for control in inside:
            control.label, control.after = words, closed.close
        if id := tag.attributes.get("for"):
            self._labels[id] = words
        self._label, self._unlabelled = None, 0

    def handle_data(self, data: str) -> None:
        if self._label is not None and not self._unlabelled:
            self._label[1].append(data)


def _says_no_name(tag: Tag) -> bool:
    classes = tag.attributes.get("class", "").split()
    return tag.name in ("textarea", "select", "option") or "hint" in classes or "soft" in classes


def _plain(text: str) -> str:
    return _SPACES.sub(" ", text).strip()
