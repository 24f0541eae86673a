"""What goes in and out of the API, and into events."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest
from pydantic import ValidationError

from chassis.ids import new_id
from herald_contracts import ContentPublished, encode
from services.content import event_mapping
from services.content.domain import items
from services.content.domain.items import Item
from services.content.schemas import FeedItemView, ItemOrder, ItemView

NOW = datetime(2026, 3, 1, 9, tzinfo=UTC)
KAFKA_RECORD = 1024 * 1024
MINIMAL: dict[str, Any] = {
    "program_id": "p",
    "kind": "article",
    "category": "company_news",
    "url": "https://www.example.com/a",
    "variants": [{"language": "fr", "title": "Titre"}],
}


def published(order: dict[str, Any]) -> Item:
    id = new_id()
    copy = items.check(ItemOrder.model_validate(order).write(id), NOW)
    return Item(id, "p", copy, NOW, NOW, state="published", version=3, published_at=NOW)


def test_the_largest_item_fits_into_one_record() -> None:
    url = "https://www.example.com/" + "é" * 337
    four = "\U0001f680"
    item = published(
        {
            **MINIMAL,
            "url": url,
            "image_url": url,
            "variants": [
                {"language": f"x{one}{two}", "title": four * 300, "summary": four * 2000, "url": url}
                for one in "abcd"
                for two in "abcde"
            ],
            "captions": [{"language": "en", "text": f"{n:03}" + four * 997} for n in range(100)],
            "targeting": {
                "countries": [f"A{x}" for x in "ABCDEFGHIJ"],
                "teams": [f"{n:03}" + four * 197 for n in range(100)],
                "sites": [four * 200],
            },
        }
    )
    record = encode(event_mapping.content_published(item), id=new_id(), time=NOW)
    assert len(record.value) < KAFKA_RECORD * 0.95
    assert ContentPublished.from_json(record.value).captions[0].text.endswith(four)


def test_a_small_order_is_enough_and_says_what_it_leaves_out() -> None:
    view = ItemView.of(published(MINIMAL))
    assert (view.shareable, view.pinned, view.captions, view.expires_at) == (True, False, [], None)


def test_countries_and_teams_count_once() -> None:
    item = published({**MINIMAL, "targeting": {"countries": ["FR", "FR"], "teams": ["A", "A"]}})
    assert item.copy.targeting == items.Targeting(("FR",), ("A",))


def test_sites_are_named_as_they_are_written() -> None:
    item = published({**MINIMAL, "targeting": {"sites": ["Lyon", "Lyon", "lyon"]}})
    assert item.copy.targeting.sites == ("Lyon", "lyon")
    told = event_mapping.content_published(item).targeting
    assert (told.sites, told.teams) == (["Lyon", "lyon"], [])


def test_spellings_of_one_team_are_one_team() -> None:
    teams = ["Qualité", "QUALITE", "Ventes", " Qualite\u0301\u00a0", "R & D", "R&D"]
    item = published({**MINIMAL, "targeting": {"teams": teams}})
    assert item.copy.targeting.teams == ("Qualité", "Ventes", "R & D")
    for spelling in teams:
        assert set(items.audiences_of("FR", spelling)) & set(items.audiences(item.copy.targeting))
    assert not set(items.audiences_of("FR", "Vente")) & set(items.audiences(item.copy.targeting))


def test_what_is_written_is_kept_without_what_nobody_sees() -> None:
    item = published(
        {
            **MINIMAL,
            "url": "HTTPS://Straße.example/é",
            "variants": [
                {"language": "fr", "title": " E\u0301te\u0301\u202e  2026\n", "summary": "Un\u00a0:\r\ndeux "}
            ],
            "captions": [{"language": "fr", "text": "Bravo\u00a0!\u200b\r\n\r\n👩🏽‍🚀 نامه‌ای"}],
        }
    )
    assert item.copy.url == "https://xn--strae-oqa.example/%C3%A9"
    assert (item.copy.variants[0].title, item.copy.variants[0].summary) == ("Été 2026", "Un\u00a0:\ndeux")
    assert item.copy.captions[0].text == "Bravo\u00a0!\n\n👩🏽‍🚀 نامه‌ای"


@pytest.mark.parametrize(
    ("change", "field", "rule"),
    [
        ({"surprise": 1}, "surprise", "extra_forbidden"),
        ({"url": "javascript:alert(1)"}, "url", "scheme"),
        ({"url": "https://www.example.com@evil.example/"}, "url", "credentials"),
        ({"url": "https://e.example/" + "é" * 2000}, "url", "too-long"),
        ({"url": "https://..."}, "url", "host"),
        ({"url": "https://[/x"}, "url", "host"),
        ({"url": "https://e.example:99999/"}, "url", "port"),
        ({"image_url": "data:image/png;base64,AA"}, "image_url", "scheme"),
        ({"variants": [{"language": "fr", "title": "T", "url": "https://xn--é.example"}]}, "variants.0.url", "host"),
        ({"variants": [{"language": "fr", "title": "\u200b \u00a0"}]}, "variants.0.title", "blank"),
        ({"captions": [{"language": "fr", "text": "\n\u202e"}]}, "captions.0.text", "blank"),
        ({"targeting": {"teams": ["\u3164"]}}, "targeting.teams.0", "blank"),
        ({"variants": []}, "variants", "too_short"),
        ({"variants": [{"language": "FR", "title": "T"}]}, "variants.0.language", "string_pattern_mismatch"),
        ({"captions": [{"language": "fr", "text": "x" * 100_000}]}, "captions.0.text", "string_too_long"),
        ({"captions": [{"language": "fr", "text": "x", "network": "myspace"}]}, "captions.0.network", "literal_error"),
        ({"targeting": {"countries": ["France"]}}, "targeting.countries.0", "string_pattern_mismatch"),
        ({"shareable": "yes"}, "shareable", "bool_type"),
        ({"expires_at": 1_900_000_000}, "expires_at", "rfc3339"),
        ({"expires_at": "2030-01-01T00:00:00"}, "expires_at", "rfc3339"),
        ({"expires_at": "0001-01-01T00:00:00+14:00"}, "expires_at", "rfc3339"),
        ({"kind": "meme"}, "kind", "literal_error"),
        ({"program_id": ""}, "program_id", "string_too_short"),
    ],
)
def test_a_field_that_breaks_a_rule_is_named(change: dict[str, Any], field: str, rule: str) -> None:
    with pytest.raises(ValidationError) as caught:
        ItemOrder.model_validate({**MINIMAL, **change})
    assert (field, rule) in {(".".join(map(str, one["loc"])), one["type"]) for one in caught.value.errors()}


def test_a_language_with_an_address_of_its_own_is_served_with_it() -> None:
    fr = {"language": "fr", "title": "Titre", "url": "https://www.example.com/fr"}
    item = published({**MINIMAL, "variants": [fr, {"language": "en", "title": "Title"}]})
    assert FeedItemView.of(items.serve(item, "me", "fr")).url == "https://www.example.com/fr"
    assert FeedItemView.of(items.serve(item, "me", "en")).url == "https://www.example.com/a"
