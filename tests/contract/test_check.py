"""`herald contracts check` finds what is wrong with topic files, examples, and against the releases."""

import json
import re
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import yaml
from typer.testing import CliRunner

from herald.cli.app import app
from herald.contracts.checks import check, check_consumers, check_examples, check_topics, check_words
from herald.contracts.compatibility import MISREAD
from herald.contracts.examples import load_examples
from herald.contracts.released import SUMS, ReleaseError, cut, is_intact, releases, sums_of
from herald.operations.topics import CONTRACTS, load_topics


@pytest.fixture
def copy(tmp_path: Path) -> Path:
    """A copy of the contracts to spoil."""
    shutil.copytree(CONTRACTS, tmp_path / "contracts", ignore=shutil.ignore_patterns("herald_contracts", "released"))
    return tmp_path / "contracts"


def edit(path: Path, change: Callable[[dict[str, Any]], object]) -> None:
    document = json.loads(path.read_text()) if path.suffix == ".json" else yaml.safe_load(path.read_text())
    change(document)
    path.write_text(json.dumps(document) if path.suffix == ".json" else yaml.safe_dump(document))


def test_the_repository_is_clean() -> None:
    assert check() == []


@pytest.mark.parametrize(
    ("topic", "change", "finding"),
    [
        (
            "herald.posts",
            lambda t: t["events"].remove("herald.PostShared.v1"),
            "herald.PostShared.v1: not listed by herald.posts",
        ),
        ("herald.posts", lambda t: t.update(key="post_id"), "herald.PostShared.v1: key is ambassador_id, but"),
        ("herald.posts", lambda t: t.update(owner="metrics"), "herald.PostShared.v1: source is /herald/sharing, but"),
        (
            "herald.posts",
            lambda t: t.update(name="herald.shares"),
            "herald.PostShared.v1: no topic file for herald.posts",
        ),
        (
            "herald.posts",
            lambda t: t["events"].append("herald.PostForgotten.v1"),
            "herald.posts: lists herald.PostForgotten.v1, which is no event",
        ),
        (
            "herald.posts",
            lambda t: t["events"].append("herald.LinkClicked.v1"),
            "herald.posts: lists herald.LinkClicked.v1, which travels on herald.clicks",
        ),
        (
            "herald.posts",
            lambda t: t["consumers"][0]["events"].append("herald.LinkClicked.v1"),
            "herald.posts: consumer gamification reads herald.LinkClicked.v1, which it does not carry",
        ),
        (
            "herald.posts",
            lambda t: t["consumers"][0].update(dead_letters="herald.deadletters.nobody"),
            "herald.posts: dead letters of gamification go to herald.deadletters.nobody, which has no topic file",
        ),
        (
            "herald.posts",
            lambda t: t["consumers"][0].update(dead_letters="herald.deadletters.metrics"),
            "herald.posts: dead letters of gamification go to herald.deadletters.metrics, another's topic",
        ),
    ],
)
def test_topic_files_agree_with_the_events(
    copy: Path, topic: str, change: Callable[[dict[str, Any]], object], finding: str
) -> None:
    edit(copy / "topics" / f"{topic}.yaml", change)
    found = check_topics(load_topics(copy / "topics"))
    assert any(one.startswith(finding) for one in found), found


def test_consumers_agree_with_the_services() -> None:
    listed = {event for topic in load_topics() for c in topic.consumers if c.group == "metrics" for event in c.events}
    handled = listed - {"herald.PostShared.v1"} | {"herald.LinkClicked.v1"}
    assert check_consumers(load_topics(), {"metrics": listed}) == []
    assert check_consumers(load_topics(), {"metrics": handled}) == [
        "metrics handles herald.LinkClicked.v1, which no topic file lists for it",
        "metrics is listed for herald.PostShared.v1, but does not handle it",
    ]


@pytest.mark.parametrize("change", [{"partitions": 0}, {"partitions": "6"}, {"surprise": 1}, {"cleanup": "shred"}])
def test_a_malformed_topic_file_is_named(copy: Path, change: dict[str, Any]) -> None:
    edit(copy / "topics/herald.posts.yaml", lambda topic: topic.update(change))
    (found,) = check(copy)
    assert found.startswith("herald.posts.yaml: ")
    assert next(iter(change)) in found


@pytest.mark.parametrize(
    ("change", "finding"),
    [
        (lambda e: e["data"].pop("link_code"), "$: 'link_code' is a required property"),
        (lambda e: e["data"].update(moood="typo"), "moood"),
        (lambda e: e["data"].update(network="Carrier Pigeon"), "$.network: 'Carrier Pigeon' does not match"),
        (lambda e: e.update(key="another"), "key differs from what is sent"),
        (lambda e: e["headers"].update(ce_source="/herald/metrics"), "headers differ from what is sent: ce_source"),
        (lambda e: e["headers"].pop("ce_id"), "header-missing: ce_id"),
    ],
)
def test_examples_agree_with_schema_model_and_envelope(
    copy: Path, change: Callable[[dict[str, Any]], object], finding: str
) -> None:
    edit(copy / "examples/PostShared/v1/own-words.json", change)
    found = check_examples(load_examples(copy / "examples"))
    assert {one.partition(": ")[0] for one in found} == {"herald.PostShared.v1 example own-words"}
    assert any(finding in one for one in found), found


def test_a_closed_enumeration_is_found() -> None:
    schema = {
        "properties": {"kind": {"enum": ["a"]}, "parts": {"items": {"$ref": "#/$defs/Part"}}},
        "$defs": {"Part": {"properties": {"state": {"anyOf": [{"const": "b"}, {"type": "null"}]}}}},
    }
    found = check_words({"herald.PostShared.v1": schema})
    assert [one.split(": ")[1] for one in found] == ["kind", "Part.state.anyOf"]


def test_an_event_without_example_is_found(copy: Path) -> None:
    shutil.rmtree(copy / "examples/PostRemoved")
    assert check_examples(load_examples(copy / "examples")) == ["herald.PostRemoved.v1: no example"]


@pytest.fixture
def release(copy: Path) -> Path:
    """The contracts of today as a release of the copy."""
    return cut("0.1.0", copy)


def mend(release: Path) -> None:
    """Make sums that agree with what a test changed."""
    (release / SUMS).write_text(sums_of(release))


def test_a_release_holds_schemas_topics_and_golden_records(copy: Path, release: Path) -> None:
    assert release == copy / "released/0.1.0"
    assert releases(copy) == [release]
    assert is_intact(release)
    assert load_topics(release / "topics") == load_topics(copy / "topics")
    assert load_examples(release / "records") == load_examples(copy / "examples")
    assert check(copy) == []


@pytest.mark.parametrize("change", ["edit", "add", "remove", "unsigned"])
def test_a_release_that_was_changed_is_found(copy: Path, release: Path, change: str) -> None:
    record = release / "records/PostShared/v1/own-words.json"
    match change:
        case "edit":
            record.write_text(record.read_text() + "\n")
        case "add":
            (release / "schemas/more.json").write_text("{}")
        case "remove":
            record.unlink()
        case "unsigned":
            (release / SUMS).unlink()
    assert check(copy) == ["0.1.0: the release was changed"]


def test_releases_are_in_the_order_of_their_versions(copy: Path) -> None:
    for version in ("0.1.0", "0.9.0", "0.10.0"):
        package = copy / "pyproject.toml"
        package.write_text(re.sub('version = "[^"]*"', f'version = "{version}"', package.read_text()))
        cut(version, copy)
    assert [path.name for path in releases(copy)] == ["0.1.0", "0.9.0", "0.10.0"]
    for version, said in (("0.9.1", "says 0.10.0"), ("0.10.0", "0.10.0 is released already"), ("v1", "no version")):
        with pytest.raises(ReleaseError, match=said):
            cut(version, copy)


def test_a_breaking_change_is_named_with_the_release_that_it_breaks(copy: Path, release: Path) -> None:
    edit(release / "schemas/PostShared/v1.json", lambda schema: schema["properties"]["network"].update(maxLength=99))
    edit(release / "topics/herald.posts.yaml", lambda topic: topic.update(key="post_id"))
    edit(release / "records/PostShared/v1/own-words.json", lambda record: record["data"].update(network="f" * 99))
    mend(release)
    replayed, narrower, *moved = check(copy)
    assert replayed.startswith("0.1.0: herald.PostShared.v1: the golden record own-words is refused today: schema-mis")
    assert narrower.startswith("0.1.0: herald.PostShared.v1: network: maxLength changed from 99 to 64")
    assert moved == [
        f"0.1.0: herald.{name}.v1: key changed from post_id to ambassador_id ({MISREAD})"
        for name in ("PostShared", "PostRemoved")
    ]


def test_golden_records_of_every_release_are_read_and_schemas_compared_with_the_last(copy: Path, release: Path) -> None:
    edit(release / "schemas/PostShared/v1.json", lambda schema: schema["properties"]["network"].update(maxLength=99))
    edit(release / "records/PostShared/v1/own-words.json", lambda record: record["data"].pop("link_code"))
    mend(release)
    package = copy / "pyproject.toml"
    package.write_text(package.read_text().replace("0.1.0", "0.2.0"))
    cut("0.2.0", copy)
    (found,) = check(copy)
    assert found.startswith("0.1.0: herald.PostShared.v1: the golden record own-words is refused today")


def test_the_command_names_event_and_field_and_fails(release: Path) -> None:
    edit(release / "schemas/LinkClicked/v1.json", lambda schema: schema["properties"].update(city={"type": "string"}))
    mend(release)
    result = CliRunner().invoke(app, ["contracts", "check", "--against", str(release)])
    assert result.exit_code == 1
    assert "0.1.0: herald.LinkClicked.v1: city: removed" in result.output


def test_the_command_succeeds_and_says_what_it_compared_with(release: Path) -> None:
    result = CliRunner().invoke(app, ["contracts", "check", "--against", str(release)])
    assert result.exit_code == 0, result.output
    assert "compatible with 0.1.0" in result.output


def test_the_release_command_refuses_another_version_than_the_package_s() -> None:
    result = CliRunner().invoke(app, ["contracts", "release", "99.0.0"])
    assert result.exit_code == 1
    assert "contracts/pyproject.toml says" in result.output
