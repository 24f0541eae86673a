"""The share sheet: the guidelines where they are still to be read, the caption, the share, and taking it back. What
begins in the sheet ends in it; without a script each step is a page."""

from __future__ import annotations

import asyncio
import hashlib
import json
from functools import partial
from typing import Any
from uuid import uuid4

from fastapi import APIRouter
from starlette.responses import Response

from services.hub.captions import has_words
from services.hub.clients import Json, Refusal
from services.hub.dependencies import Ambassador, SignedIn, load_person
from services.hub.networks import NETWORKS
from services.hub.pages.guidelines import acknowledge_guidelines
from services.hub.paths import page, v1
from services.hub.view import BadForm, Missing, View

router = APIRouter()
HELD_SECONDS = 20
"""How long a share that was taken back can be restored; the page offers it for less."""


@router.get("/feed/{item_id}/share")
async def sheet(
    view: Ambassador,
    item_id: str,
    network: str = "linkedin",
    caption: str | None = None,
    prepared: str | None = None,
) -> Response:
    """The first tap: a caption, ready to go, with what will be added to it and what speaks against it. `prepared` is
    what a deputy wrote for a leader."""
    if network not in NETWORKS:
        return view.go(page("feed", item_id))
    return await show_sheet(view, item_id, network, caption, prepared)


async def show_sheet(
    view: View, item_id: str, network: str, caption: str | None = None, prepared: str | None = None
) -> Response:
    """The sheet as it opens: the guidelines if they are to be read first, or else the caption."""
    item = await _item(view, item_id, network)
    if (guidelines := await _guidelines_to_read(view, item["program_id"])) is not None:
        return view.page(
            "feed/acknowledge.html", item=item, network=network, guidelines=guidelines, answered=None, given=[]
        )
    captions = suggestions(item, network, view.language.code)
    chosen = next((one for one in captions if one["caption_id"] == caption), captions[0] if captions else None)
    text = chosen["text"] if chosen else f"{item['title']}"
    language = chosen["language"] if chosen else view.language.code
    if prepared and (words := await _prepared(view, item, prepared)) is not None:
        chosen, text, language = None, words["caption"], words["language"]
    found = await view.gather(
        check=judge(view, item_id, network, language, text), allowance=allowance(view, item["program_id"], network)
    )
    if (first := _lesson_first(found["check"])) is not None:
        return view.page("feed/lesson.html", item=item, network=network, lesson=first)
    return view.page(
        "feed/share.html",
        item=item,
        network=network,
        captions=captions,
        chosen=chosen,
        text=text,
        language=language,
        key=str(uuid4()),
        wordless=False,
        **found,
    )


async def _prepared(view: View, item: Json, id: str) -> Json | None:
    """What was prepared for this person to say with the item; None where it waits no more."""
    path = v1("programs", item["program_id"], "prepared", id)
    words = (await view.gather(words=view.apis.get("program", path)))["words"]
    if isinstance(words, Missing):
        return None
    theirs = (words["leader_id"], words["content_id"], words["state"]) == (view.me.id, item["id"], "waiting")
    return words if theirs else None


def _lesson_first(check: Any) -> str | None:
    """The page of the lesson that the programme requires before a share; None where there is none."""
    if not isinstance(check, Missing) or not isinstance(check.error, Refusal):
        return None
    said = check.error.document
    if check.error.type != "lesson-not-completed" or not said.get("program_id") or not said.get("lesson_id"):
        return None
    return page("programs", str(said["program_id"]), "lessons", str(said["lesson_id"]))


async def _guidelines_to_read(view: View, program_id: str) -> Json | None:
    program = view.me.find_program(program_id)
    if program is None or not program.must_acknowledge:
        return None
    await load_person(view, fresh=True)
    program = view.me.find_program(program_id)
    if program is None or not program.must_acknowledge:
        return None
    path = v1("programs", program_id, "guidelines")
    found: Json = await view.apis.get("program", path, language=view.language.code)
    return found


@router.post("/feed/{item_id}/acknowledge")
async def acknowledge(view: Ambassador, item_id: str) -> Response:
    """The guidelines were read: on to the caption, in the same sheet."""
    network, program_id = await view.field("network"), await view.field("program_id")
    if network not in NETWORKS:
        raise BadForm
    try:
        answered, given = await acknowledge_guidelines(view, program_id)
    except Refusal as refusal:
        if refusal.type != "guidelines-superseded":  # the sheet shows the newer ones
            view.form_page = partial(_guidelines_text, view, item_id, network, program_id)
            raise
    else:
        if answered is not None and not answered["passed"]:
            sheet = await _guidelines_again(view, item_id, network, program_id)
            return view.page("feed/acknowledge.html", answered=answered, given=given, **sheet)
    if view.is_fragment:
        return await show_sheet(view, item_id, network)
    return view.go(page("feed", item_id, "share"), network=network)


async def _guidelines_again(view: View, item_id: str, network: str, program_id: str) -> dict[str, Any]:
    path = v1("programs", program_id, "guidelines")
    guidelines = await view.apis.get("program", path, language=view.language.code)
    return {"item": await _item(view, item_id, network), "network": network, "guidelines": guidelines}


async def _guidelines_text(view: View, item_id: str, network: str, program_id: str) -> str:
    sheet = await _guidelines_again(view, item_id, network, program_id)
    return await asyncio.to_thread(view.render, "feed/acknowledge.html", answered=None, given=[], **sheet)


@router.post("/feed/{item_id}/check")
async def check(view: Ambassador, item_id: str) -> Response:
    """What the guardrails say of the caption as it is being written."""
    network = await view.field("network")
    text = await view.field("caption")
    language = await view.field("language", "en")
    found = await view.gather(check=judge(view, item_id, network, language, text))
    return view.page("feed/_check.html", network=network, language=language, **found)


@router.post("/feed/{item_id}/share")
async def share(view: Ambassador, item_id: str) -> Response:
    """The second tap: a post with its own link, and on to the network.

    Nothing is shared, and the sheet comes again, with `mended` (a suggestion was taken, without a script), with
    `then=check`, and where the caption has no words and nobody said `wordless=yes`.
    """
    network, text = await view.field("network"), await view.field("caption")
    if network not in NETWORKS:
        raise BadForm
    language, caption_id = await view.field("language", "en"), await view.field("caption_id")
    order = {"content_id": item_id, "network": network, "language": language, "caption": text}
    if caption_id:
        order["caption_id"] = caption_id
    form = await view.form()
    if "mended" in form or await view.field("then") == "check":
        return await _sheet_again(view, item_id, {**order, "caption": await view.field("mended", text)})
    if not has_words(text) and await view.field("wordless") != "yes":
        return await _sheet_again(view, item_id, order, wordless=True)
    try:
        answer = await view.apis.call("sharing", "POST", v1("posts"), order, key=await _key(view, order))
    except Refusal as refusal:
        judged = refusal.type == "guardrail-blocked"
        view.form_page = partial(_sheet_text, view, item_id, order, judged=judged)
        raise
    shared: Json = answer.data
    return view.page("feed/shared.html", post=shared, network=network, item_id=item_id, hand=True)


async def _key(view: View, order: dict[str, str]) -> str:
    """One tap twice on one sheet is one share; other words are another."""
    opened = await view.field("key") or str(uuid4())
    return hashlib.sha256(json.dumps([opened, order], sort_keys=True).encode()).hexdigest()


async def _sheet_again(view: View, item_id: str, order: dict[str, str], *, wordless: bool = False) -> Response:
    return view.page("feed/share.html", **await _sheet_of(view, item_id, order, wordless=wordless))


async def _sheet_text(view: View, item_id: str, order: dict[str, str], *, judged: bool) -> str:
    found = await _sheet_of(view, item_id, order, judged=judged)
    return await asyncio.to_thread(view.render, "feed/share.html", **found)


async def _sheet_of(
    view: View, item_id: str, order: dict[str, str], *, judged: bool = True, wordless: bool = False
) -> dict[str, Any]:
    """The sheet with what was typed, judged anew."""
    network, language, text = order["network"], order["language"], order["caption"]
    item = await _item(view, item_id)
    captions = suggestions(item, network, view.language.code)
    wanted = {"allowance": allowance(view, item["program_id"], network)}
    if judged:
        wanted["check"] = judge(view, item_id, network, language, text)
    return {
        "item": item,
        "network": network,
        "captions": captions,
        "chosen": next((one for one in captions if one["caption_id"] == order.get("caption_id")), None),
        "text": text,
        "language": language,
        "key": str(uuid4()),
        "wordless": wordless,
        "check": None,
        **await view.gather(**wanted),
    }


@router.post("/posts/{post_id}/remove")
async def remove(view: SignedIn, post_id: str) -> Response:
    """ "I did not post it": the post and its points are taken back; its link still leads where it led. It can be undone
    for a while, whatever becomes of this page. Whoever left meanwhile can say it, too."""
    await view.apis.call("sharing", "DELETE", v1("posts", post_id), params={"held_seconds": HELD_SECONDS})
    if not view.is_fragment:
        if not view.me.is_ambassador:
            return view.go("/me", toast="post-removed")
        return view.go("/posts", toast="post-removed", of=post_id)
    item_id = await view.field("item_id")
    shared = await view.gather(found=view.apis.get("sharing", v1("shared-items"), content_id=[item_id]))
    still = isinstance(shared["found"], dict) and bool(shared["found"]["items"])
    return view.page("feed/withdrawn.html", post_id=post_id, item_id=item_id, still_shared=still)


@router.post("/posts/{post_id}/restore")
async def restore(view: Ambassador, post_id: str) -> Response:
    """Undo that: the post stands as it did."""
    try:
        answer = await view.apis.call("sharing", "POST", v1("posts", post_id, "restore"))
    except Refusal as refusal:
        if refusal.type == "removal-final" and not view.is_fragment:
            return view.go("/posts", toast="removal-final")
        raise
    if not view.is_fragment:
        return view.go("/posts", toast="post-restored")
    post: Json = answer.data
    return view.page("feed/shared.html", post=post, network=post["network"], item_id=post["content_id"], hand=False)


async def _item(view: View, item_id: str, network: str | None = None) -> Json:
    found: Json = await view.apis.get("content", v1("feed", item_id), language=view.language.code, network=network)
    return found


async def judge(view: View, item_id: str, network: str, language: str, text: str) -> Any:
    body = {"content_id": item_id, "network": network, "language": language, "caption": text}
    return (await view.apis.call("sharing", "POST", v1("drafts", "check"), body)).data


async def allowance(view: View, program_id: str, network: str) -> Json:
    """How many shares of a day earn points (`limit`, None for any number), and how many more do today (`left`)."""
    found = await view.apis.get("gamification", v1("me", "allowance"), program_id=program_id, network=network)
    return {name: found.get(name) for name in ("limit", "left")}


def suggestions(item: Json, network: str, language: str) -> list[Json]:
    """The captions that suit: those for this network before those for any, in the reader's language before others."""
    fitting = [one for one in item.get("captions", ()) if one.get("network") in (None, network)]
    return sorted(fitting, key=lambda one: (one["language"] != language, one.get("network") is None))
