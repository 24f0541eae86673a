"""A form that is shown again has what was typed, with what is wrong beside each field."""

from __future__ import annotations

import html

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.hub.forms.filling import Difference, Fault, Marked, Place, Way, fill, with_stored
from services.hub.forms.markup import Form, forms_of

PAGE = """<!doctype html><main><form method="post" action="/other"><input name="title" value="theirs"></form>
<details><summary>More</summary><form class="stack" method="post" action="/items/1">
<input type="hidden" name="csrf" value="c1"><input type="hidden" name="page" value="/p">
<input type="hidden" name="version" value="4">
<div class="field"><label for="title">Title <span class="hint">short</span></label>
<input id="title" name="title" maxlength="9" value="stored"></div>
<label>Text<textarea name="text" aria-describedby="check">one &lt; two</textarea></label>
<label class="choice"><input type="checkbox" name="shareable" checked><span><strong>Shareable</strong></span></label>
<select name="kind"><option value="a">A</option><option value="b" selected>B</option></select>
<select name="teams" multiple><option>X</option><option selected>Y</option></select>
<div data-row="captions"><label>Caption<input name="caption" value="first"></label></div>
<div data-row="captions"><label>Caption<input name="caption" value=""></label></div>
<svg viewBox="0 0 1 1"><path d="M0 0"/></svg><button name="then" value="x">Save</button></form></details>
<textarea name="comment" form="none"></textarea></main>"""
TYPED = {"csrf": ["old"], "page": ["/p"], "version": ["3"], "title": ["mine"], "text": ["<b>&"], "kind": ["c"]} | {
    "teams": ["X", "Z"],
    "caption": ["first", "second", "third"],
}
Summed = list[tuple[list[Marked], list[str], bool]]


def filled(
    page: str = PAGE, path: str = "/items/1", typed: dict[str, list[str]] = TYPED, **way: object
) -> tuple[str, Summed]:
    summed: Summed = []

    def summary(marked: list[Marked], elsewhere: list[str], has_file: bool) -> str:
        summed.append((marked, elsewhere, has_file))
        return "<p>summary</p>"

    def difference(found: Difference) -> str:
        return f'<i data-name="{found.name}">{html.escape(found.shown or found.value)}</i>'

    found = fill(page, path, typed, Way(summary, difference, **way))  # type: ignore[arg-type]
    assert found is not None
    return found, summed


def values(page: str, number: int = 1) -> dict[str, list[str]]:
    found: dict[str, list[str]] = {}
    for one in form(page, number).controls:
        shown = one.chosen if one.options else [one.value] if not one.ticked or one.checked else []
        found.setdefault(one.name, []).extend(shown)
    return found


def form(page: str, number: int = 1) -> Form:
    return forms_of(page)[number]


def test_what_was_typed_is_in_its_fields_and_nothing_else_of_the_page_changes() -> None:
    page, _ = filled()
    assert values(page) == {**TYPED, "csrf": ["c1"], "shareable": []}
    assert values(page, 0) == {"title": ["theirs"]}
    assert page.count("<p>summary</p>") == 1
    assert '<svg viewBox="0 0 1 1"><path d="M0 0"/></svg>' in page
    assert [one.group for one in form(page).rows] == ["captions"] * 3
    assert "<details open>" in page
    assert filled(typed={**TYPED, "caption": ["only"]})[0].count("data-row") == 1


@given(st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\r\x00"), max_size=40))
def test_any_text_survives(text: str) -> None:
    typed = {**TYPED, "title": [text], "text": [text], "caption": [text, "x"]}
    found = values(filled(typed=typed)[0])
    assert (found["title"], found["text"], found["caption"]) == ([text], [text], [text, "x"])


def test_a_fault_marks_its_field_stands_beside_it_and_the_first_has_the_focus() -> None:
    faults = [
        Fault([Place("nowhere"), Place("text")], "Too <long>."),
        Fault([Place("caption", 1)], "Too short."),
        Fault([Place("nowhere")], "As a whole."),
    ]
    page, [(marked, elsewhere, has_file)] = filled(faults=faults)
    assert [(one.href, one.label, one.sentence) for one in marked] == [
        ("#field-text-0", "Text", "Too <long>."),
        ("#field-caption-1", "Caption", "Too short."),
    ]
    assert (elsewhere, has_file) == (["As a whole."], False)
    assert page.count('aria-invalid="true"') == 2
    assert 'aria-describedby="error-field-text-0 check"' in page
    assert '</label><p class="error" id="error-field-text-0">Too &lt;long&gt;.</p>' in page
    assert page.count("autofocus") == 1
    assert form(page).named("text")[0].tag.attributes["autofocus"] == ""


def test_somebody_elses_change_stands_beside_ones_own_where_they_differ() -> None:
    page, _ = filled(newer=True, differences=True)
    assert values(page)["version"] == ["4"]
    for shown in ("title.0", "text.0", "shareable.=on", "kind.0", "teams.*", "caption.1"):
        assert f'data-name="{shown}"' in page
    assert 'data-name="caption.0"' not in page
    kept, _ = filled(typed={**TYPED, "caption": ["first"]}, newer=True, differences=True)
    assert len(form(kept).rows) == 2


def test_what_is_stored_takes_the_place_of_what_was_typed_where_that_was_chosen() -> None:
    sent = [("title", "mine"), ("caption", "a"), ("caption", "b"), ("shareable", "on"), ("teams", "X"), ("teams", "Z")]
    chosen = [
        ("stored.title.0", "theirs"),
        ("stored.caption.1", "c"),
        ("stored.shareable.=on", ""),
        ("stored.teams.*", "Y"),
    ]
    assert with_stored([*sent, *chosen]) == [("title", "theirs"), ("caption", "a"), ("caption", "c"), ("teams", "Y")]
    assert with_stored(
        [("x", "1"), ("stored.x.9", "2"), ("stored.x.²", "3"), ("stored.", "4"), ("stored.y.=on", "on")]
    ) == [
        ("x", "1"),
        ("y", "on"),
    ]


def test_a_form_that_leads_elsewhere_by_now_is_known_by_its_fields_and_a_stranger_is_not() -> None:
    page, _ = filled(PAGE.replace("/items/1", "/items/new"))
    assert values(page)["title"] == ["mine"]
    nothing = Way(lambda *_: "", lambda _: "")
    assert fill(PAGE, "/posts/1/remove", {"csrf": ["c"]}, nothing) is None
    assert fill("<p>no form</p>", "/items/1", TYPED, nothing) is None


@pytest.mark.parametrize(
    "page", ["<form method=post action=/items/1", "<form method=post action=/items/1><textarea name=text>"]
)
def test_a_page_that_is_not_whole_is_no_failure(page: str) -> None:
    fill(page, "/items/1", TYPED, Way(lambda *_: "", lambda _: ""))
