"""Rules of the hub that need no server."""

import re

import httpx
import pytest
from starlette.requests import Request

from services.hub import charts, content
from services.hub.assets import FONT_REFERENCE, Assets
from services.hub.clients import Refusal, ServiceUnavailable, SignedOut, read
from services.hub.dependencies import client_address
from services.hub.figures import tiles
from services.hub.language import Language
from services.hub.pages.share import suggestions
from services.hub.paths import safe_path
from services.hub.person import Person, Program, person_of
from services.hub.settings import HubSettings
from services.hub.shell import home, navigation
from services.hub.view import mask, unmask

POINT = re.compile(r"[ML]([-\d.]+) ([-\d.]+)")


def settings(**values: str) -> HubSettings:
    needed = {
        "kafka_bootstrap": "k:1",
        "mongo_url": "mongodb://m",
        "redis_url": "redis://r",
        "public_url": "http://127.0.0.1:8080",
        "issuer": "http://127.0.0.1:8080/issuer",
        "hub_client_secret": "hush",
        "session_key": "A" * 43 + "=",
        **{f"{name}_url": f"http://{name}" for name in ("program", "content", "sharing", "gamification", "metrics")},
    }
    return HubSettings.model_validate({**needed, **values})


def person(*roles: str, status: str = "", programs: int = 1) -> Person:
    found = [{"id": f"p{n}", "name": f"P{n}", "time_zone": "Europe/Paris"} for n in range(programs)]
    mine = [{"program_id": "p0", "status": status}] if status else []
    return person_of({"id": "1", "name": "Léa Fontaine", "roles": list(roles), "programs": mine}, found)


# --- forms and addresses ---


def test_a_masked_token_is_never_the_same_twice_and_always_the_same_inside() -> None:
    one, two = mask("secret-token"), mask("secret-token")
    assert one != two
    assert b"secret" not in bytes.fromhex(one)
    assert unmask(one) == unmask(two) == "secret-token"


@pytest.mark.parametrize("nonsense", ["", "zz", "abc", "00"])
def test_nonsense_unmasks_to_nothing(nonsense: str) -> None:
    assert unmask(nonsense) == ""


@pytest.mark.parametrize("path", ["https://evil.example", "//evil.example", "/\\evil.example", "evil", "/a\nb", ""])
def test_nobody_is_sent_back_to_another_host(path: str) -> None:
    assert safe_path(path) == "/"


def test_ones_own_paths_are_gone_back_to() -> None:
    assert safe_path("/feed?cursor=a%20b") == "/feed?cursor=a%20b"


@pytest.mark.parametrize(
    ("peer", "chain", "trusted", "expected"),
    [
        ("203.0.113.9", "10.0.0.1", "", "203.0.113.9"),
        ("10.0.0.2", "203.0.113.9", "10.0.0.0/8", "203.0.113.9"),
        ("10.0.0.2", "6.6.6.6, 203.0.113.9, 10.0.0.3", "10.0.0.0/8", "203.0.113.9"),
        ("10.0.0.2", "", "10.0.0.0/8", "10.0.0.2"),
    ],
)
def test_the_visitors_address_is_the_last_that_nobody_vouches_for(
    peer: str, chain: str, trusted: str, expected: str
) -> None:
    headers = [(b"x-forwarded-for", chain.encode())] if chain else []
    request = Request({"type": "http", "headers": headers, "client": (peer, 1), "method": "GET", "path": "/"})
    assert client_address(request, settings(trusted_proxies=trusted)) == expected


def test_a_session_key_that_is_none_is_refused_at_start() -> None:
    with pytest.raises(ValueError, match="session_key"):
        settings(session_key="short")


# --- the APIs' answers ---


def test_answers_are_told_apart() -> None:
    good = read("program", httpx.Response(200, json={"a": 1}, headers={"etag": '"7"'}))
    assert (good.data, good.version) == ({"a": 1}, 7)
    with pytest.raises(SignedOut):
        read("program", httpx.Response(401, json={}))
    for status in (429, 500, 503):
        with pytest.raises(ServiceUnavailable):
            read("program", httpx.Response(status, json={"type": "overloaded"}))
    with pytest.raises(ServiceUnavailable):
        read("program", httpx.Response(404, text="<html>"))
    document = {"type": "guardrail-blocked", "detail": "No.", "errors": [{"field": "caption"}], "findings": [1]}
    with pytest.raises(Refusal) as refused:
        read("sharing", httpx.Response(422, json=document))
    assert (refused.value.type, refused.value.errors, refused.value.document["findings"]) == (
        "guardrail-blocked",
        [{"field": "caption"}],
        [1],
    )


# --- people and what they see ---


def test_everybody_arrives_where_they_work() -> None:
    assert home(person()) == "/join"
    assert home(person("ambassador", status="joined")) == "/feed"
    assert home(person("editor")) == "/editor"
    assert home(person("manager", "editor")) == "/manage"
    assert home(person("admin")) == "/admin/people"


def test_navigation_shows_no_place_that_is_not_ones_own() -> None:
    paths = {place.path for _, places in navigation(person("editor")) for place in places}
    assert paths == {"/editor", "/editor/feeds"}


def test_the_programme_shown_is_the_chosen_one_or_ones_own() -> None:
    member = person("ambassador", status="joined", programs=2)
    assert member.choose_program(None) == member.programs[0]
    assert member.choose_program("p1") == member.programs[0]
    manager = person("manager", programs=2)
    assert manager.choose_program("p1") == manager.programs[1]
    assert person().choose_program("p0") is None


def test_initials_are_of_first_and_last_name() -> None:
    assert person().initials == "LF"
    assert Person("1", "", "", frozenset(), "", "", "en").initials == "?"


def test_a_membership_says_what_must_be_acknowledged() -> None:
    mine = {"program_id": "p0", "status": "joined", "guidelines_version": 2, "must_acknowledge": True}
    found = person_of({"id": "1", "name": "A", "programs": [mine]}, [{"id": "p0", "name": "P"}])
    program: Program = found.programs[0]
    assert (program.joined, program.must_acknowledge, program.guidelines_version) == (True, True, 2)


def test_captions_for_the_network_and_language_come_first() -> None:
    captions = [
        {"caption_id": "any-en", "network": None, "language": "en"},
        {"caption_id": "x-fr", "network": "x", "language": "fr"},
        {"caption_id": "li-fr", "network": "linkedin", "language": "fr"},
        {"caption_id": "any-fr", "network": None, "language": "fr"},
    ]
    found = suggestions({"captions": captions}, "linkedin", "fr")
    assert [one["caption_id"] for one in found] == ["li-fr", "any-fr", "any-en"]


# --- figures, charts, texts ---


def test_a_figure_says_what_it_is_made_of_and_how_it_changed() -> None:
    found = {
        "figures": {
            "participation_rate": {"value": 0.5, "numerator": 5, "denominator": 10},
            "shares": {"value": 12},
            "engagement_rate": {"value": None, "numerator": 3, "denominator": 0},
        },
        "previous": {"figures": {"shares": {"value": 8}}},
    }
    definitions = {"items": [{"figure": "shares", "definition": "Posts.", "formula": "count"}]}
    shown = {tile.key: tile for tile in tiles(Language("en"), found, definitions)}
    assert (shown["participation_rate"].text, shown["participation_rate"].detail) == ("50%", "5 of 10")
    assert (shown["shares"].change, shown["shares"].definition) == (0.5, "Posts.")
    assert shown["participation_rate"].change is None
    assert (shown["engagement_rate"].text, shown["engagement_rate"].detail) == ("–", "")


@pytest.mark.parametrize(("value", "top"), [(0, 4), (4, 4), (5, 5), (6, 10), (11, 20), (160, 200), (250, 250)])
def test_axes_end_at_a_number_that_reads_well(value: float, top: float) -> None:
    assert charts.ceiling(value) == top


@pytest.mark.parametrize("series", [[[]], [[0]], [[3]], [[0, 0, 0]], [[1, 5, 2], [0, 1, 0]]])
def test_lines_stay_inside_of_their_box(series: list[list[float]]) -> None:
    drawn = charts.lines(series)
    assert len(drawn.xs) == len(series[0])
    assert all(charts.LEFT <= x <= charts.WIDTH for x in drawn.xs)
    points = [POINT.findall(path) for path in drawn.paths]
    assert [len(some) for some in points] == [len(one) for one in series]
    assert all(charts.TOP <= float(y) <= charts.BASELINE for some in points for _, y in some)
    assert list(drawn.ends) == [(float(x), float(y)) for some in points for x, y in some[-1:]]


def test_bars_are_ranked_and_measured_by_the_longest() -> None:
    found = charts.bars([("a", 2), ("b", 4), ("c", 0)], most=2)
    assert [(bar.label, bar.share) for bar in found] == [("b", 100.0), ("a", 50.0)]
    assert charts.bars([("a", 0)])[0].share == 0
    assert charts.ring(2)[1] == 0


@pytest.mark.parametrize("evil", ["<script>alert(1)</script>", "[x](javascript:alert(1))", "![x](https://e.example/i)"])
def test_texts_of_people_bring_no_code_and_no_pictures(evil: str) -> None:
    shown = content.markdown(evil)
    assert "<script" not in shown
    assert 'href="javascript' not in shown
    assert "<img" not in shown


def test_assets_are_named_by_what_is_in_them() -> None:
    assets = Assets()
    style = assets.named("herald.css")
    assert FONT_REFERENCE not in style.content
    assert assets.url("figtree.ttf").encode() in style.content
    assert style.digest in assets.url("herald.css")
    with pytest.raises(KeyError):
        assets.url("nothing.js")


@pytest.mark.parametrize(
    "address",
    [
        "javascript:alert(1)",
        "data:text/html,x",
        "ftp://a.example/",
        "//evil.example",
        "/auth/sign-out",
        "tel:1",
        "JAVASCRIPT:x",
    ],
)
def test_markdown_links_to_the_web_and_to_mail_only(address: str) -> None:
    assert "href" not in content.markdown(f"[x]({address}) <{address}>")


@pytest.mark.parametrize("address", ["https://a.example/b", "HTTP://a.example", "mailto:a@b.example"])
def test_markdown_links_to_what_it_may(address: str) -> None:
    assert "href" in content.markdown(f"[x]({address})")
