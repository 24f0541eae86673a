"""Who may share an item that is for some teams."""

from __future__ import annotations

from contextlib import nullcontext
from dataclasses import replace
from datetime import UTC, datetime

import pytest

from chassis.web.problems import Conflict, Forbidden
from services.sharing.domain.posts import Content, Standing, check_may_share

NOW = datetime(2026, 3, 1, 9, tzinfo=UTC)
CONTENT = Content(id="c", program_id="p", revision=1, url="https://a.example/", published=True, shareable=True)


@pytest.mark.parametrize("spelled", ["Qualité", "QUALITE", "Qualite\u0301", "Qualit\u00e9\u00a0", "Qua\u00adlité"])
def test_a_team_is_the_same_however_it_is_spelled(spelled: str) -> None:
    standing = Standing(country="FR", team=spelled, member=True, acknowledged=0, required=0)
    check_may_share(replace(CONTENT, teams=frozenset({"Qualité"})), standing, NOW)
    check_may_share(replace(CONTENT, teams=frozenset({spelled})), standing, NOW)
    with pytest.raises(Forbidden) as refused:
        check_may_share(replace(CONTENT, teams=frozenset({"Qualités"})), standing, NOW)
    assert refused.value.type == "not-targeted"


@pytest.mark.parametrize(("site", "may"), [("Lyon", True), ("Paris", False), (None, False)])
def test_an_item_that_is_for_some_sites_is_shared_there_alone(site: str | None, may: bool) -> None:
    content = replace(CONTENT, countries=frozenset({"FR"}), sites=frozenset({"Lyon", "Nantes"}))
    standing = Standing(country="FR", team="IT", site=site, member=True, acknowledged=0, required=0)
    check_may_share(replace(content, sites=frozenset()), standing, NOW)
    with nullcontext() if may else pytest.raises(Forbidden):
        check_may_share(content, standing, NOW)


def test_the_lessons_that_a_programme_requires_come_before_a_share() -> None:
    standing = Standing(country="FR", team="IT", member=True, acknowledged=1, required=1)
    check_may_share(CONTENT, standing, NOW)
    with pytest.raises(Conflict) as refused:
        check_may_share(CONTENT, replace(standing, lessons_left=("l1", "l2")), NOW)
    assert (refused.value.type, refused.value.extras) == (
        "lesson-not-completed",
        {"program_id": "p", "lesson_id": "l1"},
    )
