"""What reaches other people is asked about once, with whom it reaches; until then nothing is done."""

from __future__ import annotations

import re
from datetime import timedelta
from typing import Any

import httpx
import orjson
import pytest

from services.hub.pages.share import HELD_SECONDS
from services.hub.undo import UNDO_SECONDS
from services.hub.view import mask
from tests.integration.hub.harness import EMPTY, Browser

ITEM: dict[str, Any] = {
    "id": "i1",
    "program_id": "p1",
    "state": "draft",
    "version": 3,
    "targeting": {"countries": ["FR"], "teams": ["Sales"]},
    "variants": [{"language": "en", "title": "Half the water"}, {"language": "fr", "title": "Deux fois moins d’eau"}],
    "published_at": "2026-03-01T09:00:00Z",
    "expires_at": None,
    "retire_reason": "editor",
}
RULES = httpx.Response(200, json={"disclosures": {"*": {"fr": "#Salarié"}}, "forbidden": []}, headers={"etag": '"7"'})
IDENTITY = httpx.Response(
    200,
    json={
        "colours": [],
        "elements": [{"picture_id": "pic-1", "kind": "logo", "titles": {"fr": "Logo"}, "notes": {}, "title": "Logo"}],
    },
    headers={"etag": '"2"'},
)
ADA = {"id": "ada", "name": "Ada", "email": "ada@herald.example", "team": "Sales", "roles": ["editor"], "active": True}
WAVE = {
    "wave": {
        "id": "w1",
        "version": 1,
        "name": "Pilot",
        "goal": "",
        "changes": "",
        "targets": {},
        "starts_on": "2026-03-02",
        "ends_on": "2026-04-12",
        "closed_on": None,
        "decision": None,
        "decided_by": [],
        "recorded_by": None,
        "criteria": {
            "everybody": True,
            "leaders_only": False,
            **{kind: [] for kind in ("countries", "teams", "sites", "people")},
        },
    },
    "state": "planned",
    "members": 0,
    "left": 0,
    "matching": 3,
}
POST = {
    "id": "post-1",
    "program_id": "p1",
    "network": "linkedin",
    "language": "fr",
    "caption": "Deux fois moins d’eau https://h.example/x",
    "short_url": "https://h.example/x",
}
NEWSLETTER = "/manage/newsletters/n1"
WHEN = {"send_on": "2031-03-02", "send_at": "09:00"}
ASKED = [
    ("/editor/items/i1/publish", {"state": "draft"}, "Deux fois moins d’eau", "43 ambassadeurs"),
    ("/editor/items/i1/retire", {"state": "published"}, "Deux fois moins d’eau", "43 ambassadeurs"),
    ("/editor/items/i1/restore", {}, "Deux fois moins d’eau", "43 ambassadeurs le verront de nouveau"),
    ("/admin/people/ada/deactivate", {}, "Ada", "ada@herald.example"),
    ("/admin/people/ada/merge", {"other_id": "bob", "version": "1"}, "Bob · bob@herald.example", "la même personne"),
    ("/manage/guidelines", {"guidelines_fr": "Soyez vous", "material": "on"}, "règles de partage", "43 ambassadeurs"),
    ("/programs/p1/leave", {}, "Quitter Voices", "Vous pouvez revenir"),
    ("/manage/surveys/s1/open", {}, "Ouvrir cette enquête", "43 ambassadeurs sont interrogés"),
    ("/manage/tasks/t1/delete", {}, "Supprimer cette tâche", "Ce choix est définitif."),
    ("/manage/waves/w1/start", {}, "Lancer « Pilot »", "3 ambassadeurs y entrent"),
    (
        "/manage/waves/w1/decision",
        {"decision": "no_go", "reasons": "Too many mails.", "decided_by": "ada"},
        "Consigner cette décision",
        "On ne continue pas ainsi",
    ),
    ("/manage/waves/w1/delete", {}, "Effacer cette vague", "Effacer la vague"),
    ("/manage/newsletters/n1/schedule", WHEN, "Programmer l’envoi", "ambassadeur la reçoit"),
    ("/manage/newsletters/n1/stop", {}, "Arrêter l’envoi", "personne d’autre ne la recevra"),
    ("/programs/p1/decline", {}, "Décliner Voices", "plus invité"),
    ("/manage/links/l1/withdraw", {}, "Retirer ce lien", "ne mèneront plus nulle part"),
    ("/manage/ambassadors/ada/reject", {}, "Refuser cette candidature", "Vous pourrez encore"),
    ("/manage/ambassadors/ada/devices/end", {}, "Déconnecter ses appareils", "en quelques secondes"),
    ("/manage/invitations", {"by": "name", "person": "ada"}, "2 personnes", "1 personne a décliné"),
    ("/manage/invitations", {"countries": "FR", "limit": "10"}, "2 personnes", "Ada · Sales · France"),
    ("/manage/identity/remove", {"picture_id": "pic-1"}, "Retirer « Logo »", "Le fichier est effacé"),
    ("/feedback/f1/remove", {}, "Effacer ce que vous avez écrit", "sans votre nom reste"),
    (
        "/manage/feedback/f1",
        {"answer": "Oui.", "said_fr": "Puis-je ?", "answer_fr": "Oui.", "version": "1"},
        "Publier cette réponse",
        "43 ambassadeurs pourront la lire",
    ),
    ("/lead/deputies", {"person": "bob@x.example"}, "Demander à bob@x.example", "vous seul partagez"),
    ("/lead/deputies/d1/end", {}, "Y mettre fin", "reste pour le dirigeant"),
    ("/deputy/d1/end", {}, "Ne plus préparer", "reste pour le dirigeant"),
    ("/manage/events/e1/cancel", {}, "Annuler cet événement", "son code ne sert plus"),
    (
        "/manage/events/new",
        {"title": "Jour", "starts_at": "2031-03-02T10:00", "ends_at": "2031-03-02T12:00", "everybody": "on"},
        "Inviter à cet événement",
        "43 ambassadeurs sont invités",
    ),
    ("/acts/expert/e1/withdraw", {}, "Retirer ceci", "les points sont repris"),
    ("/manage/examples/e1/show", {}, "Montrer cet exemple", "43 ambassadeurs pourront le lire"),
    ("/learn/examples/posts/post-1/offer", {"named": "yes"}, "Proposer cette publication", "Votre nom figure alors"),
    ("/manage/lessons/l1/publish", {}, "Publier cette leçon", "43 ambassadeurs"),
    ("/manage/lessons/l1/retire", {}, "Retirer cette leçon", "Personne ne pourra plus la lire"),
    ("/manage/lessons/starters", {}, "leçons de départ", "Sept leçons"),
    ("/manage/programs/p1/open", {}, "Ouvrir Voices", "3 personnes de plus"),
    (
        "/manage/guardrails/phrase",
        {"phrase": "never", "language": "en"},
        "garde-fous",
        '<bdi lang="en" dir="ltr">never',
    ),
]


async def _ready(browser: Browser) -> str:
    invited = {
        "invited": 2,
        "skipped": {"declined": 1},
        "remaining": 0,
        "batch_id": None,
        "people": [{"name": "Ada", "team": "Sales", "country": "FR", "leader": False}],
    }
    browser.network.answers |= {
        "/v1/items/i1": ITEM,
        "/v1/programs/p1/identity": IDENTITY,
        "/v1/programs/p1/feedback/f1": {"answer": "Oui."},
        "/v1/programs/p1/starter-lessons": {"lessons": 7, "paths": 3},
        "/v1/programs/p1/lessons/l1": {"state": "draft", "latest": {"required_for": ["share"], "texts": {}}},
        "/v1/people/bob": {"name": "Bob", "email": "bob@herald.example", "team": "Sales", "roles": []},
        "/v1/people/ada": ADA,
        "/v1/programs/p1/audience": {"ambassadors": 43},
        "/v1/programs/p1/waves": {"items": [WAVE]},
        "/v1/programs/p1/waves/w1": WAVE,
        "/v1/programs/p1/invitations": invited,
        "/v1/people/names": {"names": {"bob": {"name": "Bob"}}},
        "/v1/programs/p1/guardrails": RULES,
        "/v1/programs/p1/events": {"id": "e1"},
        "/v1/programs/p1/deputies": {"id": "d1"},
        "/v1/programs/p1/deputies/d1/prepared": {"id": "s1"},
        "/v1/posts/post-1": POST,
        "/v1/programs/p1/examples/offers": {"id": "e1"},
        "/v1/programs/p1": {"id": "p1", "open": False},
    }
    session = await browser.sign_in()
    return mask(session.csrf)


def _done(browser: Browser) -> list[tuple[str, str]]:
    """What was changed: not what was only asked, or tried."""
    return [
        (request.method, request.url.path)
        for request in browser.network.asked
        if request.method not in ("GET", "HEAD")
        and request.url.path not in ("/v1/people/names", "/v1/programs/p1/audience")
        and not (request.content and orjson.loads(request.content).get("dry_run"))
    ]


@pytest.mark.parametrize(("path", "form", "title", "told"), ASKED)
async def test_an_act_is_asked_about_with_whom_it_reaches_and_done_once_confirmed(
    browser: Browser, path: str, form: dict[str, str], title: str, told: str
) -> None:
    csrf = await _ready(browser)
    page = await browser.client.post(path, data={**form, "csrf": csrf})
    assert page.status_code == 200
    text = re.sub(r"\s", " ", page.text)
    assert title in text
    assert told in text
    assert _done(browser) == []
    carried = dict(re.findall(r'<input type="hidden" name="([^"]+)" value="([^"]*)">', page.text))
    [action] = re.findall(r'<form method="post" action="([^"]+)">(?=(?:<input type="hidden" name="(?:csrf|page)"'
                          r'[^>]*>)+<input type="hidden" name="confirmed")', page.text)  # fmt: skip
    assert (action, carried["confirmed"]) == (path, "yes")
    answer = await browser.client.post(action, data={**carried, "csrf": csrf})
    assert answer.status_code == 303
    assert _done(browser) != []


UNDONE = [
    ("/editor/items/i1/publish", "/editor/items/i1/unpublish", "/v1/items/i1/unpublish"),
    ("/editor/items/i1/retire", "/editor/items/i1/restore", "/v1/items/i1/restore"),
    ("/editor/items/i1/restore", "/editor/items/i1/retire", "/v1/items/i1/retire"),
    ("/admin/people/ada/deactivate", "/admin/people/ada/reactivate", "/v1/people/ada/reactivate"),
    ("/lead/deputies", "/lead/deputies/d1/end", "/v1/programs/p1/deputies/d1/end"),
    ("/lead/prepared/s1/dismiss", "/lead/prepared/s1/keep", "/v1/programs/p1/prepared/s1/keep"),
    ("/deputy/d1/items/i1", "/deputy/prepared/s1/withdraw", "/v1/programs/p1/prepared/s1/withdraw"),
    ("/manage/events/e1/cancel", "/manage/events/e1/restore", "/v1/programs/p1/events/e1/restore"),
    ("/manage/referrals/r1/reward", "/manage/referrals/r1/unreward", "/v1/programs/p1/referrals/r1/unreward"),
    *(
        (f"/manage/acts/e1/{act}", "/manage/acts/e1/reopen", "/v1/programs/p1/expert-acts/e1/reopen")
        for act in ("confirm", "refuse")
    ),
    ("/manage/lessons/l1/retire", "/manage/lessons/l1/restore", "/v1/programs/p1/lessons/l1/publish"),
    ("/manage/examples/e1/show", "/manage/examples/e1/retire", "/v1/programs/p1/examples/e1/retire"),
    ("/manage/examples/e1/retire", "/manage/examples/e1/restore", "/v1/programs/p1/examples/e1/show"),
    (
        "/learn/examples/posts/post-1/offer",
        "/learn/examples/e1/withdraw",
        "/v1/programs/p1/examples/e1/withdraw",
    ),
    ("/manage/lessons/l1/publish", "/manage/lessons/l1/retire", "/v1/programs/p1/lessons/l1/retire"),
    ("/manage/lessons/l1/restore", "/manage/lessons/l1/retire", "/v1/programs/p1/lessons/l1/retire"),
    ("/manage/feedback/f1", "/manage/feedback/f1/private", "/v1/programs/p1/feedback/f1/answer"),
    (f"{NEWSLETTER}/schedule", f"{NEWSLETTER}/unschedule", "/v1/programs/p1/newsletters/n1/unschedule"),
    ("/manage/programs/p1/open", "/manage/programs/p1/close", "/v1/programs/p1"),
    ("/manage/programs/p1/close", "/manage/programs/p1/open", "/v1/programs/p1"),
    ("/manage/guardrails/phrase", "/manage/guardrails/p1/7/undo", "/v1/programs/p1/guardrails/restore"),
    ("/manage/invitations", "/manage/invitations/b1/withdraw", "/v1/programs/p1/invitations/b1/withdraw"),
    ("/manage/surveys/s1/open", "/manage/surveys/s1/withdraw", "/v1/programs/p1/surveys/s1/withdraw"),
    ("/manage/waves/w1/start", "/manage/waves/w1/withdraw", "/v1/programs/p1/waves/w1/withdraw"),
    ("/manage/waves/w1/decision", "/manage/waves/w1/reopen", "/v1/programs/p1/waves/w1/reopen"),
    ("/programs/p1/decline", "/programs/p1/reconsider", "/v1/programs/p1/reconsider"),
    ("/programs/p1/leave", "/programs/p1/return", "/v1/programs/p1/join"),
]


@pytest.mark.parametrize(("path", "undo", "undone"), UNDONE)
async def test_what_was_done_can_be_undone_where_it_is_said(
    browser: Browser, path: str, undo: str, undone: str
) -> None:
    csrf = await _ready(browser)
    invited = {"invited": 1, "skipped": {}, "remaining": 0, "batch_id": "b1", "people": []}
    mine = [{**browser.network.answers["/v1/me"]["programs"][0], "consent_version": 1}]
    browser.network.answers |= {
        **EMPTY,
        "/v1/programs/p1/invitations": invited,
        "/v1/programs/p1/invitations/b1/withdraw": {"withdrawn": 1, "answered": 0},
        "/v1/me": {**browser.network.answers["/v1/me"], "programs": mine},
        "/v1/programs/p1/guardrails": RULES,
    }
    form = {"csrf": csrf, "confirmed": "yes", "by": "name", "person": "ada", "phrase": "never", "said_fr": "Puis-je ?"}
    done = await browser.client.post(path, data=form)
    page = await browser.client.get(done.headers["location"])
    [offered] = re.findall(rf'<form method="post" action="{undo}" data-undo>(.*?)</form>', page.text)
    carried = dict(re.findall(r'name="([^"]+)" value="([^"]*)"', offered))
    browser.clock.advance(timedelta(minutes=50))  # an act of its own, whenever it is sent
    answer = await browser.client.post(undo, data={**carried, "csrf": csrf})
    assert answer.status_code == 303
    assert _done(browser)[-1][1] == undone


async def test_how_long_it_can_be_undone_is_how_long_the_message_stands(browser: Browser) -> None:
    csrf = await _ready(browser)
    asked = re.sub(r"\s", " ", (await browser.client.post("/manage/lessons/l1/publish", data={"csrf": csrf})).text)
    assert f"Vous pourrez annuler pendant {UNDO_SECONDS} secondes." in asked
    browser.network.answers |= EMPTY
    page = (await browser.client.get("/manage/lessons?toast=lesson-published&of=l1")).text
    assert f'role="status" data-seconds="{UNDO_SECONDS}"' in page
    assert UNDO_SECONDS <= HELD_SECONDS


async def test_a_further_edition_says_what_it_replaces_and_is_not_called_final(browser: Browser) -> None:
    csrf = await _ready(browser)
    browser.network.answers["/v1/programs/p1/lessons/l1"]["state"] = "published"
    asked = (await browser.client.post("/manage/lessons/l1/publish", data={"csrf": csrf})).text
    assert "Elle remplace ce qui se lit" in asked
    assert "définitif" not in asked
    assert "annuler pendant" not in asked
    done = await browser.client.post("/manage/lessons/l1/publish", data={"csrf": csrf, "confirmed": "yes"})
    browser.network.answers |= EMPTY
    assert "data-undo" not in (await browser.client.get(done.headers["location"])).text


async def test_what_somebody_changed_since_is_not_undone(browser: Browser) -> None:
    csrf = await _ready(browser)
    stale = httpx.Response(412, json={"type": "https://herald.example/problems/stale-version"})
    browser.network.answers |= {**EMPTY, "/v1/programs/p1/guardrails/restore": stale}
    answer = await browser.client.post("/manage/guardrails/p1/7/undo", data={"csrf": csrf})
    page = await browser.client.get(answer.headers["location"])
    assert "Rien n’a été annulé" in page.text


async def test_dead_letters_are_asked_about_until_none_is_left(browser: Browser) -> None:
    csrf = await _ready(browser)
    one = {"event_type": "<t>", "rule": "failed", "detail": "Boom", "topic": "content", "partition": 0, "offset": 4}
    answers = {"done": 0, "left": 7, "not_whole": 1, "before": "2026-03-04T08:31:00Z", "dry_run": True, "items": [one]}
    browser.network.answers |= {**EMPTY, "/v1/deadletters/replay": answers}
    path, form = "/admin/deadletters/content/replay", {"type": "t", "rule": "r", "csrf": csrf}
    page = await browser.client.post(path, data=form)
    text = re.sub(r"\s", " ", page.text)
    assert "Réessayer 7 messages non traités" in text
    assert "&lt;t&gt; · Le service a échoué · content/0/4" in text
    assert "1 message incomplet reste ici." in text
    carried = dict(re.findall(r'<input type="hidden" name="([^"]+)" value="([^"]*)">', page.text))
    browser.network.answers["/v1/deadletters/replay"] = {**answers, "done": 5, "left": 2, "dry_run": False}
    page = await browser.client.post(path, data={**carried, "csrf": csrf})
    assert "5 messages ont été réessayés. Il en reste." in re.sub(r"\s", " ", page.text)
    browser.network.answers["/v1/deadletters/replay"] = {**answers, "done": 2, "left": 0, "dry_run": False}
    answer = await browser.client.post(path, data={**carried, "csrf": csrf})
    assert "toast=dead-letters-replay" in answer.headers["location"]
    orders = [orjson.loads(one.content) for one in browser.network.asked if one.url.path == "/v1/deadletters/replay"]
    order = {"ids": [], "type": "t", "rule": "r"}
    assert orders == [order, *[{**order, "before": answers["before"], "dry_run": False}] * 2]


RETIRED: dict[str, tuple[dict[str, Any], str | None, str]] = {
    "published": ({}, "Publier à nouveau", "à son ancienne place"),
    "never published": ({"published_at": None}, "Remettre en brouillon", "avant d’avoir été vu"),
    "expired": ({"expires_at": "2026-01-01T00:00:00Z"}, None, "Sa date est passée"),
    "imported": ({"retire_reason": "imported"}, None, "historique d’un autre produit"),
}


@pytest.mark.parametrize("kind", RETIRED)
async def test_a_retired_item_offers_what_can_be_done_with_it_and_says_so(browser: Browser, kind: str) -> None:
    differs, button, told = RETIRED[kind]
    csrf = await _ready(browser)
    item = {**ITEM, "state": "retired", **differs}
    browser.network.answers |= {**EMPTY, "/v1/items/i1": item, "/v1/items/i1/restore": {**item, "state": "draft"}}
    page = await browser.client.get("/editor/items/i1")
    assert told in re.sub(r"\s", " ", page.text)
    assert "Copier comme nouveau brouillon" in page.text
    form = re.search(r'<form method="post" action="/editor/items/i1/restore".*?<button[^>]*>([^<]*)', page.text)
    assert (form and form[1]) == button
    if kind == "never published":  # reaches nobody: nothing is asked
        answer = await browser.client.post("/editor/items/i1/restore", data={"csrf": csrf})
        assert answer.headers["location"] == "/editor?state=draft&toast=item-redrafted"


async def test_where_nobody_would_be_reached_there_is_no_button_and_the_reasons_stand(browser: Browser) -> None:
    csrf = await _ready(browser)
    nobody = {"invited": 0, "skipped": {"already_joined": 4}, "remaining": 0, "batch_id": None, "people": []}
    browser.network.answers["/v1/programs/p1/invitations"] = nobody
    page = await browser.client.post("/manage/invitations", data={"by": "name", "person": "ada", "csrf": csrf})
    assert "4 personnes participent déjà" in re.sub(r"\s", " ", page.text)
    assert 'name="confirmed"' not in page.text


async def test_a_limit_that_is_none_is_refused(browser: Browser) -> None:
    csrf = await _ready(browser)
    refused = {"type": "invalid", "errors": [{"field": "limit", "rule": "at-least", "params": {"min": 1}}]}
    browser.network.answers |= {**EMPTY, "/v1/programs/p1/invitations": httpx.Response(422, json=refused)}
    page = await browser.client.post(
        "/manage/invitations", data={"countries": "FR", "limit": "-3", "page": "/manage/ambassadors", "csrf": csrf}
    )
    assert page.status_code == 422
    [sent] = [one for one in browser.network.asked if one.url.path == "/v1/programs/p1/invitations"]
    assert orjson.loads(sent.content)["limit"] == -3
    assert "1 ou plus." in page.text


async def test_feed_and_posts_are_those_of_the_programme_that_one_looks_at(browser: Browser) -> None:
    await browser.sign_in()
    both = ("p1", "p2")
    two = [{"id": id, "name": id.title(), "time_zone": "UTC", "languages": ["fr"]} for id in both]
    mine = [{"program_id": id, "status": "joined", "must_acknowledge": False} for id in both]
    me = {**browser.network.answers["/v1/me"], "programs": mine}
    browser.network.answers |= {"/v1/programs": {"items": two}, "/v1/me": me}
    page = await browser.client.get("/feed")
    csrf = re.findall(r'name="csrf" value="([^"]+)"', page.text)[0]
    assert 'value="p1" aria-pressed="true"' in page.text
    answer = await browser.client.post("/program", data={"program_id": "p2", "back": "/feed", "csrf": csrf})
    assert answer.headers["location"] == "/feed"
    assert 'value="p2" aria-pressed="true"' in (await browser.client.get("/feed")).text
    await browser.client.get("/posts")
    asked = [one for one in browser.network.asked if one.url.path in ("/v1/feed", "/v1/posts")]
    assert [one.url.params["program_id"] for one in asked] == ["p1", "p2", "p2"]
