"""The rules of items."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chassis.web.problems import Conflict, Invalid
from herald_contracts.words import Network
from services.content.domain import items
from services.content.domain.items import Caption, Copy, Item, State, Targeting, Variant

NOW = datetime(2026, 3, 1, 9, tzinfo=UTC)
LATER = NOW + timedelta(hours=1)
COUNTRIES = st.sampled_from(["FR", "DE", "BE", "CA"])
TEAMS = st.sampled_from(["Sales", "R&D", "a|b", "|", "*"])
SITES = st.sampled_from(["Lyon", "lyon", "b", "|", "a|b"])


def written(*captions: Caption, **changes: object) -> Copy:
    copy = Copy(
        kind="article",
        category="company_news",
        url="https://www.example.com/a",
        variants=(Variant("en", "Title"),),
        captions=captions,
    )
    return replace(copy, **changes)  # type: ignore[arg-type]


def an_item(state: State = "draft", copy: Copy | None = None, id: str = "i") -> Item:
    published_at = NOW if state in ("published", "retired") else None
    return Item(id, "p", copy or written(), NOW, NOW, state=state, published_at=published_at)


def rules(error: Invalid) -> set[tuple[str, str]]:
    return {(one.field, one.rule) for one in error.errors}


# --- life --------------------------------------------------------------------------------------------------------

ACTS: dict[str, Callable[[Item], Item]] = {
    "submit": lambda item: items.submit(item, LATER),
    "approve": lambda item: items.approve(item, "r", LATER),
    "reject": lambda item: items.reject(item, "r", "why", LATER),
    "publish": lambda item: items.publish(item, LATER),
    "retire": lambda item: items.retire(item, "editor", LATER),
}
LIFE: dict[tuple[State, str], State] = {
    ("draft", "submit"): "in_review",
    ("in_review", "approve"): "approved",
    ("in_review", "reject"): "draft",
    ("approved", "publish"): "published",
    ("draft", "retire"): "retired",
    ("in_review", "retire"): "retired",
    ("approved", "retire"): "retired",
    ("published", "retire"): "retired",
}


@pytest.mark.parametrize("state", ["draft", "in_review", "approved", "published", "retired"])
@pytest.mark.parametrize("act", ACTS)
def test_an_item_moves_along_its_life_and_no_other_way(state: State, act: str) -> None:
    item = an_item(state)
    wanted = LIFE.get((state, act))
    if wanted is None:
        with pytest.raises(Conflict):
            ACTS[act](item)
        return
    moved = ACTS[act](item)
    assert (moved.state, moved.version, moved.updated_at) == (wanted, 2, LATER)


def test_what_is_done_already_says_so() -> None:
    with pytest.raises(Conflict) as caught:
        items.publish(an_item("published"), LATER)
    assert caught.value.type == "already-published"
    with pytest.raises(Conflict) as caught:
        items.publish(an_item("draft"), LATER)
    assert caught.value.type == "wrong-state"


def test_a_rejection_keeps_its_reason_until_the_item_is_submitted_again() -> None:
    rejected = items.reject(an_item("in_review"), "r", "why", LATER)
    assert (rejected.reviewer_id, rejected.comment) == ("r", "why")
    again = items.submit(rejected, LATER)
    assert (again.reviewer_id, again.comment) == (None, None)


def test_nothing_is_published_that_has_expired_while_it_waited() -> None:
    with pytest.raises(Invalid) as caught:
        items.publish(an_item("approved", written(expires_at=LATER)), LATER)
    assert rules(caught.value) == {("expires_at", "past")}


@pytest.mark.parametrize(
    ("state", "after"),
    [("draft", "draft"), ("in_review", "in_review"), ("approved", "in_review"), ("published", "published")],
)
def test_other_words_need_the_review_that_the_old_ones_had(state: State, after: State) -> None:
    revised = items.revise(an_item(state), written(url="https://www.example.com/b"), LATER)
    assert (revised.state, revised.version) == (after, 2)


def test_the_same_words_change_nothing() -> None:
    item = an_item("approved")
    assert items.revise(item, written(), LATER) is item


def test_a_retired_item_is_not_written_anew() -> None:
    with pytest.raises(Conflict):
        items.revise(an_item("retired"), written(pinned=True), LATER)


# --- rules of the copy -------------------------------------------------------------------------------------------


def test_every_broken_rule_is_named_with_its_field() -> None:
    same = items.caption("i", "en", "Same")
    copy = written(
        same,
        same,
        items.caption("i", "en", " \n"),
        items.caption("i", "en", "a\x00b"),
        variants=(Variant("en", "Title"), Variant("EN", " ", "\x1b[31m")),
        expires_at=NOW,
        targeting=Targeting(
            tuple(f"{one}{two}" for one in "ABCD" for two in "ABCDEFGHIJ"), tuple("abcdefghijklmnopqrstuvwxyz")
        ),
    )
    with pytest.raises(Invalid) as caught:
        items.check(copy, NOW)
    assert rules(caught.value) == {
        ("captions.1.text", "duplicate"),
        ("captions.2.text", "blank"),
        ("captions.3.text", "control-character"),
        ("variants.1.language", "duplicate"),
        ("variants.1.title", "blank"),
        ("variants.1.summary", "control-character"),
        ("expires_at", "past"),
        ("targeting", "too-many"),
    }


def test_captions_have_a_limit_together() -> None:
    captions = [items.caption("i", "en", f"{number:02}" + "x" * 4998) for number in range(21)]
    items.check(written(*captions[:20]), NOW)
    with pytest.raises(Invalid) as caught:
        items.check(written(*captions), NOW)
    assert rules(caught.value) == {("captions", "too-long")}


@pytest.mark.parametrize(
    "text", ["👩🏽\u200d🚀 Bravo 🎉", "مرحبا بالعالم", "\u200fשלום\u200f", "Zwei\nZeilen\tund mehr", "e\u0301"]
)
def test_words_of_every_script_are_fine_and_kept_as_they_are(text: str) -> None:
    assert items.check(written(items.caption("i", "ar", text)), NOW).captions[0].text == text


def test_the_same_words_keep_their_caption_id_in_one_item_only() -> None:
    assert items.caption("i", "en", "a") == items.caption("i", "en", "a")
    made = [
        items.caption("i", "en", "a"),
        items.caption("i", "en", "a", "x"),
        items.caption("i", "fr", "a"),
        items.caption("i", "en", "b"),
        items.caption("j", "en", "a"),
    ]
    assert len({one.caption_id for one in made}) == 5


# --- who sees what -----------------------------------------------------------------------------------------------


@given(
    st.lists(COUNTRIES, unique=True),
    st.lists(TEAMS, unique=True),
    st.lists(SITES, unique=True),
    COUNTRIES | st.just(""),
    TEAMS | st.just(""),
    SITES | st.none(),
)
def test_a_person_finds_an_item_under_exactly_one_key_if_it_is_meant_for_them(
    countries: list[str], teams: list[str], sites: list[str], country: str, team: str, site: str | None
) -> None:
    wanted = ((countries, country), (teams, team), (sites, site))
    meant = all(not listed or one in listed for listed, one in wanted)
    keys = items.audiences(Targeting(tuple(countries), tuple(teams), tuple(sites)))
    shared = set(keys) & set(items.audiences_of(country, team, site))
    assert len(shared) == (1 if meant else 0)
    assert len(keys) == len(set(keys))


def test_what_was_stored_before_sites_were_known_is_found_under_the_same_keys() -> None:
    assert items.audiences(Targeting(("FR",), ("Sales",))) == ("FR|sales",)
    assert items.audiences_of("FR", "Sales", "Lyon")[:4] == items.audiences_of("FR", "Sales")


def test_combinations_of_country_team_and_site_have_a_limit() -> None:
    ten = tuple("abcdefghij")
    countries = tuple(f"F{one.upper()}" for one in ten)
    items.check(written(targeting=Targeting(countries, ten, ten)), NOW)
    with pytest.raises(Invalid) as caught:
        items.check(written(targeting=Targeting(countries, ten, (*ten, "k"))), NOW)
    assert rules(caught.value) == {("targeting", "too-many")}
    assert caught.value.errors[0].params["pairs"] == 1100


@given(st.lists(st.tuples(st.booleans(), st.integers(0, 10**12), st.uuids()), min_size=2, max_size=9, unique=True))
def test_positions_sort_as_feeds_are_read(made: list[tuple[bool, int, object]]) -> None:
    published = [
        replace(an_item("published", written(pinned=pinned), str(id)), published_at=NOW + timedelta(milliseconds=ms))
        for pinned, ms, id in made
    ]
    by_position = sorted(published, key=lambda item: items.position(item) or "", reverse=True)
    assert by_position == sorted(
        published, key=lambda item: (item.copy.pinned, item.published_at, item.id), reverse=True
    )


# --- in which words ----------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("wanted", "served"),
    [
        ("fr", "fr"),
        ("fr-CA", "fr-CA"),
        ("fr-BE", "fr"),
        ("FR", "fr"),
        ("de", "en-GB"),
        ("en", "en-GB"),
        ("ja", "en-GB"),
    ],
)
def test_the_language_served_is_the_nearest(wanted: str, served: str) -> None:
    variants = tuple(Variant(language, language) for language in ("es", "fr", "fr-CA", "en-GB"))
    item = an_item("published", written(variants=variants))
    assert items.serve(item, "person", wanted).variant.language == served


def test_without_english_the_first_language_is_served() -> None:
    item = an_item("published", written(variants=(Variant("es", "a"), Variant("it", "b"))))
    assert items.serve(item, "person", "ja").variant.language == "es"


def many(count: int, language: str = "en", network: Network | None = None) -> list[Caption]:
    return [items.caption("i", language, f"{language} {network} {n}", network) for n in range(count)]


def test_captions_are_in_the_language_served_else_in_any() -> None:
    variants = (Variant("en", "a"), Variant("fr", "b"))
    item = an_item("published", written(*many(2), *many(1, "fr-CA"), variants=variants))
    assert [one.language for one in items.serve(item, "person", "fr").captions] == ["fr-CA"]
    only_english = an_item("published", written(*many(2), variants=variants))
    assert len(items.serve(only_english, "person", "fr").captions) == 2


def test_captions_for_the_network_come_before_those_for_any_and_others_not_at_all() -> None:
    item = an_item("published", written(*many(2), *many(2, network="x"), *many(2, network="linkedin")))
    served = items.serve(item, "person", "en", "x").captions
    assert [one.network for one in served] == ["x", "x", None, None]
    everything = items.serve(item, "person", "en").captions
    assert [one.network for one in everything] == ["x", "x", "linkedin", "linkedin", None, None]


@given(st.integers(1, 7), st.text(min_size=1, max_size=9))
def test_turning_captions_loses_none_and_keeps_their_order(count: int, person: str) -> None:
    item = an_item("published", written(*many(count)))
    served = items.serve(item, person, "en").captions
    start = item.copy.captions.index(served[0])
    assert served == item.copy.captions[start:] + item.copy.captions[:start]
    assert served == items.serve(item, person, "en").captions


def test_colleagues_begin_with_different_captions_in_equal_parts() -> None:
    item = an_item("published", written(*many(4)))
    first = Counter(items.serve(item, f"person {n}", "en").captions[0].caption_id for n in range(2000))
    assert len(first) == 4
    assert min(first.values()) > 400
