"""The rules of feed sources."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.content.domain import items, sources
from services.content.domain.items import EntryKey, Variant
from services.content.domain.sources import Entry, Result, Source, new_entries

NOW = datetime(2026, 3, 1, 9, tzinfo=UTC)
INTERVAL = timedelta(minutes=15)


def a_source(**changes: object) -> Source:
    source = Source("s", "p", "fr", "review", "sector_news", "editor", NOW, url="https://www.example.com/feed")
    return replace(source, **changes)  # type: ignore[arg-type]


def entry(guid: str = "", link: str = "", title: str = "Title", **changes: object) -> Entry:
    found = Entry(guid, link, f"https://{link}" if link else None, title)
    return replace(found, **changes)  # type: ignore[arg-type]


def names(entries: list[Entry]) -> list[tuple[str, str]]:
    return [(one.guid, one.link) for one in entries]


# --- which entries are new -----------------------------------------------------------------------------------------


def test_five_entries_with_one_guid_and_five_links_are_five_once() -> None:
    five = [entry("g", f"e.example/{n}") for n in range(5)]
    assert new_entries(five, []) == five
    assert new_entries(five, [one.key for one in five]) == []
    sixth = entry("g", "e.example/6")
    assert new_entries([sixth], [one.key for one in five]) == [sixth]


def test_a_new_guid_with_a_known_link_is_the_same_item() -> None:
    known = entry("g1", "e.example/1").key
    assert new_entries([entry("g2", "e.example/1", "Another title")], [known]) == []
    assert new_entries([entry("", "e.example/1")], [known]) == []


def test_a_known_guid_with_another_link_is_another_item_unless_the_entry_only_moved() -> None:
    known = entry("g", "e.example/old").key
    assert new_entries([entry("g", "e.example/new", "Another")], [known]) != []
    assert new_entries([entry("g", "e.example/new")], [known]) == []


def test_entries_that_all_lead_to_one_page_are_told_apart() -> None:
    notes = [entry(f"g{n}", "e.example/", f"Note {n}") for n in range(3)]
    assert new_entries(notes, []) == notes
    assert new_entries([entry("g3", "e.example/", "Note 3"), *notes], [one.key for one in notes]) == [
        entry("g3", "e.example/", "Note 3")
    ]
    untold = [entry("", "e.example/", f"Note {n}") for n in range(3)]
    assert new_entries([*untold, *untold], []) == untold


def test_entries_without_links_are_known_by_their_guids() -> None:
    first, second = entry("g1", title="One"), entry("g2", title="Two")
    assert new_entries([first, second, first], []) == [first, second]
    assert new_entries([replace(first, title="Corrected")], [first.key, second.key]) == []
    same = [entry("g", title="One"), entry("g", title="Two")]
    assert new_entries(same, []) == same


KEYS = st.builds(entry, st.sampled_from(["", "a", "b"]), st.sampled_from(["", "x", "y"]), st.sampled_from("TUV"))


@given(st.lists(KEYS.filter(lambda one: one.guid or one.link), max_size=8))
def test_what_was_taken_once_is_not_new_the_second_time(entries: list[Entry]) -> None:
    taken = new_entries(entries, [])
    assert len(set(taken)) == len(taken)
    assert new_entries(entries, [one.key for one in taken]) == []
    ids = [item.id for item, _ in sources.items_of(a_source(), taken, NOW)]
    assert len(set(ids)) == len(ids)


# --- what becomes of them ------------------------------------------------------------------------------------------


def test_an_entry_becomes_an_item_in_review_that_can_be_shared_as_it_is() -> None:
    said = entry("g", "e.example/1", "Titre", summary="Résumé", image_url="https://e.example/1.png", kind="video")
    [(item, same)] = sources.items_of(a_source(), [replace(said, published_at=NOW)], NOW)
    assert item is same
    assert (item.state, item.origin, item.source_id, item.version) == ("in_review", "feed", "s", 1)
    assert (item.entry, item.dated_at) == (EntryKey("g", "e.example/1", "Titre"), NOW)
    assert item.copy.variants == (Variant("fr", "Titre", "Résumé"),)
    assert (item.copy.category, item.copy.kind) == ("sector_news", "video")
    assert [one.text for one in item.copy.captions] == ["Titre"]
    items.check(item.copy, NOW)


def test_an_entry_that_says_its_language_keeps_it() -> None:
    [(item, _)] = sources.items_of(a_source(), [entry("g", "e.example/1", language="en")], NOW)
    assert item.copy.variants[0].language == item.copy.captions[0].language == "en"


@pytest.mark.parametrize(
    ("said", "state", "title"),
    [
        (entry("g", "e.example/1"), "published", "Title"),
        (entry("g"), "in_review", "Title"),
        (entry("g", "e.example/1", ""), "in_review", "Our blog"),
    ],
)
def test_a_trusted_source_publishes_what_has_words_and_leads_somewhere(said: Entry, state: str, title: str) -> None:
    source = a_source(rule="publish", title="Our blog")
    [(submitted, item)] = sources.items_of(source, [said], NOW)
    assert (submitted.state, item.state, item.copy.variants[0].title) == ("in_review", state, title)
    items.check(item.copy, NOW)


def test_an_entry_names_the_same_item_whenever_it_is_read() -> None:
    [(item, _)] = sources.items_of(a_source(), [entry("g", "e.example/1")], NOW)
    [(again, _)] = sources.items_of(a_source(), [entry("g", "e.example/1")], NOW + INTERVAL)
    [(other, _)] = sources.items_of(a_source(id="other"), [entry("g", "e.example/1")], NOW)
    assert item.id == again.id != other.id
    assert sources.source_id("p", "https://a") != sources.source_id("q", "https://a")


def test_the_order_of_the_feed_is_kept() -> None:
    entries = [entry(str(n), f"e.example/{n}", f"T{n}") for n in range(5)]
    made = [item for _, item in sources.items_of(a_source(rule="publish"), entries, NOW)]
    newest_first = sorted(made, key=lambda item: items.position(item) or "", reverse=True)
    assert [item.copy.variants[0].title for item in newest_first] == ["T0", "T1", "T2", "T3", "T4"]
    assert {item.version for item in made} == {2}


# --- when it is looked at again ------------------------------------------------------------------------------------


def test_each_failure_doubles_the_wait_up_to_a_day_and_a_good_look_ends_it() -> None:
    source, waits = a_source(), []
    for _ in range(40):
        source = sources.looked_at(source, Result(NOW, "failed", rule="timeout"), INTERVAL)
        assert source.next_poll_at is not None
        waits.append(source.next_poll_at - NOW)
    assert waits[:3] == [timedelta(minutes=30), timedelta(hours=1), timedelta(hours=2)]
    assert waits[-1] == timedelta(days=1)
    assert waits == sorted(waits)
    good = sources.looked_at(source, Result(NOW, "unchanged"), INTERVAL)
    assert (good.failures, good.next_poll_at) == (0, NOW + INTERVAL)


@pytest.mark.parametrize(
    ("header", "wait"),
    [
        ("7200", timedelta(hours=2)),
        ("60", timedelta(minutes=30)),
        ("Sun, 01 Mar 2026 12:00:00 GMT", timedelta(hours=3)),
        ("Sun, 01 Mar 2020 12:00:00 GMT", timedelta(minutes=30)),
        ("99999999999999999999", timedelta(days=7)),
        ("Fri, 31 Dec 9999 23:59:59 GMT", timedelta(days=7)),
        ("soon", timedelta(minutes=30)),
        ("-1", timedelta(minutes=30)),
        ("", timedelta(minutes=30)),
        (None, timedelta(minutes=30)),
    ],
)
def test_a_server_that_says_when_to_come_again_is_not_asked_before(header: str | None, wait: timedelta) -> None:
    looked = sources.looked_at(a_source(), Result(NOW, "failed", rule="status"), INTERVAL, header)
    assert looked.next_poll_at == NOW + wait


def test_a_source_of_files_is_never_due() -> None:
    looked = sources.looked_at(a_source(url=None), Result(NOW, "ok"), INTERVAL, "60")
    assert looked.next_poll_at is None
