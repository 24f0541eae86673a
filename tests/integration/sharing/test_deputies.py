"""A deputy prepares and never posts: no operation of sharing makes, removes or restores a post in another's name."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from tests.integration.sharing.conftest import SharingHarness

OPENAPI = Path(__file__).parents[3] / "contracts" / "openapi" / "sharing.json"
IN_ANOTHERS_NAME = ("ambassador_id", "person_id", "leader_id", "on_behalf_of", "deputy_id", "author_id")
ROLES = ("/deadletters", "/guardrails", "/history", "/engagements")
"""What needs a role or a scope: a deputy has none by being one."""
BODY = {"content_id": "c1", "network": "linkedin", "language": "fr", "caption": "Bonjour"}


def changing() -> list[tuple[str, str]]:
    document = json.loads(OPENAPI.read_text())
    return [
        (method.upper(), path)
        for path, methods in document["paths"].items()
        for method in methods
        if method in ("post", "put", "patch", "delete") and not any(role in path for role in ROLES)
    ]


async def test_whoever_is_not_the_leader_posts_nothing_in_their_name(sharing: SharingHarness) -> None:
    lea, dan = await sharing.ambassador("lea", leader=True), await sharing.ambassador("dan")
    post = (await sharing.share(lea)).json()["id"]
    taken_back = (await sharing.share(lea, network="x")).json()["id"]
    gone = await sharing.api.delete(f"/v1/posts/{taken_back}", params={"held_seconds": 60}, headers=lea)
    assert gone.status_code == 204
    before = await sharing.db["posts"].find({}, sort=[("_id", 1)]).to_list()
    tried = 0
    for method, path in changing():
        if "{post_id}" not in path:
            continue
        for id in (post, taken_back):
            answer = await sharing.api.request(method, path.format(post_id=id), headers=dan)
            assert (answer.status_code, answer.json()["type"]) == (404, "not-found"), (method, path)
            tried += 1
    assert tried >= 4  # remove and restore
    for name in IN_ANOTHERS_NAME:
        answer = await sharing.api.post("/v1/posts", json={**BODY, name: "lea"}, headers=dan)
        assert answer.status_code == 422, name
        query = await sharing.api.post(f"/v1/posts?{name}=lea", json={**BODY, "caption": name}, headers=dan)
        assert query.status_code in (201, 422)
    others: list[Any] = await sharing.db["posts"].find({"ambassador_id": "lea"}, sort=[("_id", 1)]).to_list()
    assert others == before  # whatever a deputy posts is their own
    listed = (await sharing.api.get("/v1/posts", headers=dan, params={"limit": 100})).json()["items"]
    assert post not in {one["id"] for one in listed}


def test_no_operation_takes_a_name_to_post_in() -> None:
    """A new way to post has to be tried above."""
    document = json.loads(OPENAPI.read_text())
    assert set(changing()) == {
        ("POST", "/v1/drafts/check"),
        ("POST", "/v1/posts"),
        ("POST", "/v1/posts/titles"),
        ("DELETE", "/v1/posts/{post_id}"),
        ("POST", "/v1/posts/{post_id}/restore"),
    }
    assert set(document["components"]["schemas"]["ShareRequest"]["properties"]).isdisjoint(IN_ANOTHERS_NAME)
