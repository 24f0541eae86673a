"""The visual identity beside the guidelines, as a manager gives it: colours, and pictures to take or not to make."""

from __future__ import annotations

from typing import Any, Final

from fastapi import APIRouter
from starlette.responses import Response

from chassis.messages import LANGUAGES
from chassis.web.problems import Violation
from services.hub.clients import Answer, Json, invalid
from services.hub.confirmation import ask, is_confirmed
from services.hub.dependencies import Manager
from services.hub.forms.filling import Place
from services.hub.paths import ApiPath, v1
from services.hub.pictures import ACCEPT, sent_picture
from services.hub.view import View

router = APIRouter(prefix="/manage/identity")
HERE: Final = "/manage/identity"
KINDS: Final = ("logo", "picture", "avoid")


def _path(view: View) -> ApiPath:
    return v1("programs", view.require_program().id, "identity")


async def _known(view: View) -> Answer:
    return await view.apis.call("program", "GET", _path(view), params={"language": view.language.code})


async def _save(view: View, known: Answer, **changes: Any) -> None:
    """Set the identity with other colours or elements."""
    order: Json = {"colours": _colours(known), "elements": _elements(known), **changes}
    await view.apis.call("program", "PUT", _path(view), order, version=known.version)


@router.get("")
async def identity(view: Manager) -> Response:
    """What there is, and forms to add to it."""
    languages = view.require_program().languages or LANGUAGES
    found = (await _known(view)).data
    return view.page("manage/identity.html", identity=found, kinds=KINDS, written_in=languages, accept=ACCEPT)


@router.post("")
async def add_element(view: Manager) -> Response:
    """A picture to take, or one that shows what not to do."""
    form = await view.form()
    known = await _known(view)
    number = len(known.data["elements"])
    titles = await _by_language(view, f"elements.{number}.titles", "title")
    notes = await _by_language(view, f"elements.{number}.notes", "note")
    picture_id = await sent_picture(view)
    if picture_id is None:
        view.fields |= {"picture": Place("picture")}
        raise invalid(Violation("picture", "required", "A picture is needed."))
    element = {"picture_id": picture_id, "kind": str(form.get("kind") or ""), "titles": titles, "notes": notes}
    view.fields |= {f"elements.{number}.kind": Place("kind"), f"elements.{number}.picture_id": Place("picture")}
    await _save(view, known, elements=[*_elements(known), element])
    return view.go(HERE, toast="identity-saved")


def _elements(known: Answer) -> list[Json]:
    names = ("picture_id", "kind", "titles", "notes")
    return [{name: one[name] for name in names} for one in known.data["elements"]]


async def _by_language(view: View, at: str, name: str) -> Json:
    """The words in each language in which there are some."""
    languages = view.require_program().languages or LANGUAGES
    view.fields |= {at: Place(f"{name}_{languages[0]}")}
    view.fields |= {f"{at}.{code}": Place(f"{name}_{code}") for code in languages}
    found = {code: (await view.field(f"{name}_{code}")).strip() for code in languages}
    return {code: text for code, text in found.items() if text}


@router.post("/remove")
async def remove_element(view: Manager) -> Response:
    """The picture is deleted with it."""
    picture_id = await view.field("picture_id")
    known = await _known(view)
    gone = [one["title"] for one in known.data["elements"] if one["picture_id"] == picture_id]
    if gone and not await is_confirmed(view):
        notes = [str(view.language.text("ask.identity_remove.what"))]
        return await ask(view, "identity_remove", back=HERE, notes=notes, danger=True, title=gone[0])
    await _save(view, known, elements=[one for one in _elements(known) if one["picture_id"] != picture_id])
    return view.go(HERE, toast="identity-saved")


@router.post("/colours")
async def add_colour(view: Manager) -> Response:
    known = await _known(view)
    number = len(known.data["colours"])
    view.fields |= {f"colours.{number}.{name}": Place(name) for name in ("name", "value")}
    colour = {name: (await view.field(name)).strip() for name in ("name", "value")}
    await _save(view, known, colours=[*_colours(known), colour])
    return view.go(HERE, toast="identity-saved")


@router.post("/colours/remove")
async def remove_colour(view: Manager) -> Response:
    known, value = await _known(view), await view.field("value")
    await _save(view, known, colours=[one for one in _colours(known) if one["value"] != value])
    return view.go(HERE, toast="identity-saved")


def _colours(known: Answer) -> list[Json]:
    return [{name: one[name] for name in ("name", "value")} for one in known.data["colours"]]
