"""What a post always says, and what it never may: a list of entries, of which one at a time is added, changed or
removed. What changes is shown before it holds."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import asdict
from typing import Final
from urllib.parse import parse_qsl

from fastapi import APIRouter
from markupsafe import Markup
from starlette.responses import Response

from chassis.web.problems import Violation
from services.hub import lists
from services.hub.clients import Refusal, invalid
from services.hub.confirmation import ask, is_confirmed
from services.hub.dependencies import Manages
from services.hub.forms.filling import Place
from services.hub.guardrails import Disclosure, Duplicate, Entry, Gone, Guardrails, Phrase
from services.hub.paths import v1
from services.hub.view import BadForm, View

router = APIRouter(prefix="/manage/guardrails")
HERE: Final = "/manage/guardrails"
PAGE: Final = 12
_DOT: Final = Markup(" · ")


@router.get("")
async def guardrails(view: Manages, country: str = "", query: str = "") -> Response:
    """All entries, or those of a country or with some words."""
    whole, _ = await _read(view)
    return view.page(
        "manage/guardrails.html",
        found=whole.search(query, country),
        countries=sorted({one.country for one in whole.disclosures}, key=lambda one: _country(view, one)),
        named=lambda one: _named(view, one),
        country_name=lambda code: _country(view, code),
        country=country,
        query=query,
        most=max(PAGE, view.shown),
        page=PAGE,
    )


@router.get("/disclosure")
async def disclosure(view: Manages, country: str = "", language: str = "") -> Response:
    """One disclosure to change; a new one where none is named."""
    whole, _ = await _read(view)
    wanted = Disclosure(country, language, "").key
    present = next((one for one in whole.disclosures if one.key == wanted), None)
    return await _form(view, "disclosure", present, Disclosure(country, language or view.language.code, ""))


@router.get("/phrase")
async def phrase(view: Manages, phrase: str = "", language: str = "") -> Response:
    """One phrase to change; a new one where none is named."""
    whole, _ = await _read(view)
    wanted = Phrase(phrase, language).key
    present = next((one for one in whole.phrases if one.key == wanted), None)
    return await _form(view, "phrase", present, Phrase(phrase, language))


async def _form(view: View, kind: str, present: Entry | None, blank: Entry) -> Response:
    return view.page(
        f"manage/guardrail_{kind}.html",
        entry=present or blank,
        action=view.requested if present else view.here,
        was=json.dumps(asdict(present)) if present else "",
        countries=await _countries(view) if kind == "disclosure" else (),
        spoken=lists.languages(view.language),
        back=view.back_to(HERE),
    )


async def _countries(view: View) -> list[lists.Option]:
    """Every country by name, with how many people of the company are there."""
    codes = [code for code, _ in lists.countries(view.language)]
    return (await lists.offers(view, "people", countries=codes))["countries"]


@router.post("/disclosure")
async def change_disclosure(view: Manages) -> Response:
    """Add, change or remove a disclosure."""
    names = {name: (await view.field(name)).strip() for name in ("country", "language", "text")}
    blank = [name for name, value in names.items() if not value]
    return await _change(view, _was(await view.field("was"), Disclosure), Disclosure(**names), blank)


@router.post("/phrase")
async def change_phrase(view: Manages) -> Response:
    """Add, change or remove a phrase."""
    names = {name: (await view.field(name)).strip() for name in ("phrase", "language", "severity", "suggestion")}
    blank = [] if names["phrase"] else ["phrase"]
    return await _change(view, _was(await view.field("was"), Phrase), Phrase(**names), blank)


async def _change(view: View, before: Entry | None, written: Entry, blank: list[str]) -> Response:
    after = None if before and await view.field("then") == "remove" else written
    if after and blank:
        raise invalid(*(Violation(name, "required", "This is needed.") for name in blank))
    whole, version = await _read(view)
    try:
        changed = whole.with_change(before, after)
    except Gone:
        raise Refusal("hub", 412, {"type": "stale-version", "detail": "It was changed in the meantime."}) from None
    except Duplicate:
        field = "language" if isinstance(written, Disclosure) else "phrase"
        view.about = "guardrails"
        raise invalid(Violation(field, "duplicate", "There is an entry for this already.")) from None
    if not await is_confirmed(view):
        return await _ask(view, before, after, await _list(view))
    if isinstance(after, Phrase):
        at = f"forbidden.{changed.phrases.index(after)}"
        view.fields |= {at: Place("phrase"), f"{at}.suggestion": Place("suggestion")}
    elif after:
        at = f"disclosures.{after.country}"
        view.fields |= {at: Place("country"), f"{at}.{after.language}": Place("text")}
    program_id = view.require_program().id
    path = v1("programs", program_id, "guardrails")
    saved = await view.apis.call("sharing", "PUT", path, changed.document, version=version)
    looked_at = _shown(after) if after and not before else await _looked_for(view)
    return view.go(HERE, toast="guardrails-changed", of=f"{program_id}:{saved.version}", **looked_at)


@router.post("/{program_id}/{version}/undo")
async def undo(view: Manages, program_id: str, version: int) -> Response:
    """Put back what held before that version, if nobody changed it since."""
    try:
        path = v1("programs", program_id, "guardrails", "restore")
        await view.apis.call("sharing", "POST", path, version=version)
    except Refusal as refusal:
        if refusal.type not in ("stale-version", "nothing-before"):
            raise
        return view.go(HERE, toast="undo-overtaken")
    return view.go(HERE, toast="guardrails-restored")


async def _ask(view: View, before: Entry | None, after: Entry | None, back: str) -> Response:
    act = "change" if before and after else "add" if after else "remove"
    said = [(key, one) for key, one in (("removed", before), ("added", after)) if one]
    return await ask(
        view,
        f"guardrails_{act}",
        back=back,
        path=view.requested,  # drafts are kept by address: that of a form names its entry
        undo=True,
        names=[
            view.language.text(f"guardrails.{key}", what=_named(view, one, view.language.marked)) for key, one in said
        ],
        notes=[str(view.language.text("guardrails.from_now"))],
        danger=act == "remove",
    )


def _shown(entry: Entry) -> dict[str, str]:
    """What of the list shows a new entry."""
    return {"country": entry.country} if isinstance(entry, Disclosure) else {"query": entry.phrase}


async def _looked_for(view: View) -> dict[str, str]:
    return dict(parse_qsl((await _list(view)).partition("?")[2]))


async def _list(view: View) -> str:
    """The list from which the form was opened."""
    back = await view.field("back")
    return back if back.partition("?")[0] == HERE else HERE


async def _read(view: View) -> tuple[Guardrails, int | None]:
    answer = await view.apis.call("sharing", "GET", v1("programs", view.require_program().id, "guardrails"))
    return Guardrails.of(answer.data), answer.version


def _was(text: str, kind: type[Disclosure] | type[Phrase]) -> Entry | None:
    """The entry as the page showed it. Raises BadForm."""
    if not text:
        return None
    try:
        known = json.loads(text)
        return kind(**{str(name): str(value) for name, value in known.items()})
    except (ValueError, TypeError, AttributeError, RecursionError) as error:
        raise BadForm from error


def _country(view: View, code: str) -> str:
    return (
        str(view.language.text("guardrails.elsewhere"))
        if code == lists.EVERYWHERE
        else view.language.country_name(code)
    )


def _named(view: View, entry: Entry, mark: Callable[[str, str], str] = lambda words, _: words) -> Markup:
    """An entry in a line; `mark` is what shows its words as being in their language."""
    language = view.language.language_name(entry.language) if entry.language else ""
    if isinstance(entry, Disclosure):
        return _DOT.join((_country(view, entry.country), language, mark(entry.text, entry.language)))
    effect = view.language.text("guardrails.warn" if entry.severity == "warn" else "guardrails.block")
    suggestion = mark(entry.suggestion, entry.language)
    better = view.language.text("guardrails.better", what=suggestion) if entry.suggestion else ""
    language = language or view.language.text("guardrails.any_language")
    return _DOT.join(filter(None, (mark(entry.phrase, entry.language), language, effect, better)))
