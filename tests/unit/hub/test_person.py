"""Who a person is in the programme that they look at."""

from __future__ import annotations

from typing import Any

from services.hub.person import Person, person_of
from services.hub.shell import navigation

PROGRAMS = [{"id": "p1", "name": "One"}, {"id": "p2", "name": "Two"}]


def person(**state: Any) -> Person:
    return person_of({"id": "ada", "name": "Ada", "roles": [], **state}, PROGRAMS)


def test_a_clock_is_ones_own_where_one_set_it() -> None:
    assert person().time_zone == ""
    assert person(time_zone=None).time_zone == ""
    assert person(time_zone="Asia/Tokyo").time_zone == "Asia/Tokyo"
    assert person(time_zone="Nowhere/At").time_zone == "UTC"


def test_a_role_in_one_programme_holds_there_alone() -> None:
    ada = person(program_roles=[{"program_id": "p2", "role": "manager"}])
    assert ada.within("p2").has("manager")
    assert not ada.within("p1").has("manager")
    chosen = ada.choose_program(None)
    assert chosen is not None
    assert chosen.id == "p2"
    assert ada.choose_program("p1") == chosen


def test_who_manages_one_programme_is_offered_its_pages_and_not_those_of_the_installation() -> None:
    [(group, places)] = navigation(person(program_roles=[{"program_id": "p2", "role": "manager"}]).within("p2"))
    assert group == "nav.group.manager"
    paths = {place.path for place in places}
    assert "/manage" in paths
    assert paths.isdisjoint({"/manage/import", "/manage/history"})
    everywhere = navigation(person(roles=["manager"]).within("p1"))
    assert {place.path for _, places in everywhere for place in places} >= {"/manage/import", "/manage/history"}
