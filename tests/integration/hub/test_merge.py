"""Two persons who are one, as an administrator sees and merges them."""

from __future__ import annotations

import html
import json
from typing import Any

import httpx

from services.hub.view import mask
from tests.integration.hub.harness import Browser


def person(id: str, **values: Any) -> dict[str, Any]:
    known = {
        "id": id,
        "version": 3,
        "name": id.title(),
        "email": None,
        "external_id": None,
        "roles": [],
        "active": True,
    }
    more = {"team": "IT", "country": "FR", "leader": False, "same_address_as": None, "merged_into": None}
    return {**known, **more, **values}


async def test_a_person_with_anothers_address_is_shown_and_merged(browser: Browser) -> None:
    old, new = person("ada", email="ada@x.example"), person("new", same_address_as="ada")
    gone = person("gone", active=False, merged_into="ada")
    browser.network.answers |= {
        "/v1/people/ada": old,
        "/v1/people/new": new,
        "/v1/people/gone": gone,
        "/v1/people": {"items": [old, new, gone], "next": None},
        "/v1/people/names": {"names": {"ada": {"name": "Ada Lovelace", "team": "IT", "country": "FR"}}},
    }
    session = await browser.sign_in()
    page = html.unescape((await browser.client.get("/admin/people/new")).text)
    assert "S’est connecté avec l’adresse e-mail de" in page
    assert "Ada Lovelace" in page
    assert 'href="/admin/people/ada/merge?query=New"' in page
    assert "Fiche fusionnée avec" in (await browser.client.get("/admin/people/gone")).text
    assert "adresse" not in (await browser.client.get("/admin/people/ada")).text.partition("<main")[2]

    page = (await browser.client.get("/admin/people/ada/merge?query=x")).text
    assert 'value="new"' in page
    assert 'value="ada"' not in page
    assert 'value="gone"' not in page
    form = {"csrf": mask(session.csrf), "other_id": "new", "version": "3", "query": "x", "confirmed": "yes"}
    done = await browser.client.post("/admin/people/ada/merge", data=form)
    assert (done.status_code, done.headers["location"]) == (303, "/admin/people/ada?toast=merged")
    [call] = [one for one in browser.network.asked if one.url.path == "/v1/people/ada/merge"]
    assert (call.headers["if-match"], json.loads(call.content)) == ('"3"', {"other_id": "new"})

    refused = {"type": "merged", "status": 409, "detail": "One of them was merged with somebody before."}
    browser.network.answers["/v1/people/ada/merge"] = httpx.Response(409, json=refused)
    page = html.unescape((await browser.client.post("/admin/people/ada/merge", data=form)).text)
    assert "L’une des deux a déjà été fusionnée avec une autre." in page
