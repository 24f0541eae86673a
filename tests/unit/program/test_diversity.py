"""Diversity: who takes part against who there is, and what nobody may find out from it."""

from __future__ import annotations

from collections.abc import Sequence

from hypothesis import given
from hypothesis import strategies as st

from services.program.domain import diversity
from services.program.domain.diversity import Cell, Told

LEAST = 5
SIZES = st.lists(st.integers(1, 40), max_size=12)


def cells(sizes: Sequence[int], within: str | None = None) -> list[Cell]:
    return [Cell(f"{within or 'group'}-{number}", size, size // 3, size, within) for number, size in enumerate(sizes)]


def hold(told: Told, all_of_them: Sequence[Cell]) -> None:
    """Nobody finds a small group: none is shown, and those hidden are several and together no small group."""
    assert all(one.people >= LEAST for one in told.shown)
    assert told.hidden_groups + len(told.shown) == len(all_of_them)
    assert told.hidden_people + sum(one.people for one in told.shown) == sum(one.people for one in all_of_them)
    if any(one.people < LEAST for one in all_of_them):
        assert told.hidden_groups == len(all_of_them) or (told.hidden_groups >= 2 and told.hidden_people >= LEAST)
    else:
        assert told.hidden_groups == 0


@given(SIZES)
def test_no_small_group_is_found_by_subtraction(sizes: list[int]) -> None:
    hold(diversity.suppress(cells(sizes), LEAST), cells(sizes))


@given(st.lists(SIZES.filter(bool), max_size=5))
def test_no_small_site_is_found_from_the_total_of_its_country(countries: list[list[int]]) -> None:
    sites = [one for number, sizes in enumerate(countries) for one in cells(sizes, f"C{number}")]
    parents = diversity.suppress([Cell(f"C{n}", sum(sizes), 0) for n, sizes in enumerate(countries)], LEAST)
    told = diversity.suppress_within(sites, parents, LEAST)
    known = {one.name for one in parents.shown}
    assert {one.within for one in told.shown} <= known, "no site of a country that is hidden"
    for country in known:
        inside = [one for one in sites if one.within == country]
        shown = [one for one in told.shown if one.within == country]
        apart = sum(one.people for one in inside) - sum(one.people for one in shown)
        assert apart == 0 or (apart >= LEAST and len(inside) - len(shown) >= 2) or not shown
        assert all(one.people >= LEAST for one in shown)


def test_a_single_small_group_takes_the_next_with_it() -> None:
    told = diversity.suppress(cells([3, 40, 30]), LEAST)
    assert [one.people for one in told.shown] == [40]
    assert (told.hidden_groups, told.hidden_people) == (2, 33)
    assert diversity.suppress(cells([3, 40]), LEAST).shown == ()
    assert diversity.suppress(cells([2, 2, 40, 30]), LEAST).hidden_groups == 3, "2 and 2 are fewer than 5 together"


def of(**dimensions: list[Cell]) -> diversity.Diversity:
    everybody = {"countries": [Cell("FR", 100, 20, 60)], "jobs": [], "levels": [], "sites": []}
    return diversity.diversity({**everybody, **dimensions}, LEAST)


def test_whom_to_invite_next_is_the_group_that_lacks_the_most() -> None:
    found = of(jobs=[Cell("Engineer", 60, 18, 42), Cell("Operator", 40, 2, 30)])
    assert found.suggestion == diversity.Suggestion("jobs", "Operator", 6)
    assert found.suggestion.segment.jobs == ("Operator",)
    lyon = of(sites=[Cell("Lyon", 50, 0, 50, "FR"), Cell("Brest", 50, 20, 30, "FR")])
    assert lyon.suggestion is not None
    assert (lyon.suggestion.name, lyon.suggestion.segment.countries) == ("Lyon", ("FR",))


def test_nobody_is_suggested_of_whom_everybody_was_asked_or_nothing_is_known() -> None:
    assert of(jobs=[Cell("Operator", 100, 20, 0)]).suggestion is None
    assert of(jobs=[Cell("Operator", 40, 0, 0), Cell(None, 60, 0, 60)]).suggestion is None
    start = of(countries=[Cell("FR", 100, 0, 100)])
    assert start.suggestion == diversity.Suggestion("countries", "FR", 10)


def test_of_fewer_people_than_a_group_nothing_is_told() -> None:
    found = of(countries=[Cell("FR", 4, 1, 3)])
    assert (found.people, found.ambassadors, found.suggestion) == (0, 0, None)
    assert all(told.shown == () for told in found.told.values())
