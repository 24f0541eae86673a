"""`herald contracts check` finds what is wrong with topic files, examples, and against a release in git."""

import json
import shutil
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import yaml
from typer.testing import CliRunner

from herald.cli.app import app
from herald.contracts.checks import check, check_consumers, check_examples, check_topics, check_words
from herald.contracts.examples import load_examples
from herald.contracts.released import ReleaseError, contracts_at, last_release
from herald.operations.topics import CONTRACTS, load_topics


def git(folder: Path, *arguments: str) -> None:
    identity = ["-c", "user.name=t", "-c", "user.email=t@example.com", "-c", "commit.gpgsign=false"]
    subprocess.run(["git", "-C", folder, *identity, *arguments], check=True, capture_output=True)


@pytest.fixture
def copy(tmp_path: Path) -> Path:
    """A copy of the contracts to spoil."""
    shutil.copytree(CONTRACTS, tmp_path / "contracts", ignore=shutil.ignore_patterns("herald_contracts"))
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
    assert any(f"herald.PostShared.v1 example own-words: {finding}" in one or finding in one for one in found), found


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


def test_a_release_is_read_from_git(copy: Path) -> None:
    root = copy.parent
    git(root, "init", "-q", "-b", "main")
    git(root, "add", ".")
    git(root, "commit", "-q", "-m", "one")
    assert last_release(root) is None
    git(root, "tag", "v0.9.0")
    edit(copy / "schemas/PostShared/v1.json", lambda schema: schema["properties"]["network"].update(maxLength=99))
    edit(copy / "examples/PostShared/v1/own-words.json", lambda example: example["data"].update(network="f" * 99))
    git(root, "commit", "-q", "-a", "-m", "two")
    git(root, "tag", "unrelated")
    assert last_release(root) == "v0.9.0"
    with contracts_at("v0.9.0", root) as release:
        assert check(release=release) == []
    with contracts_at("unrelated", root) as release:
        narrower, replayed = check(release=release)
    assert narrower.startswith("herald.PostShared.v1: network: maxLength changed from 99 to 64")
    assert replayed.startswith("herald.PostShared.v1: the released example own-words is refused today: schema-mismatch")
    with pytest.raises(ReleaseError, match=r"v7\.7\.7"), contracts_at("v7.7.7", root):
        pass


def test_a_shallow_clone_is_not_taken_for_no_release(copy: Path, tmp_path: Path) -> None:
    root = copy.parent
    git(root, "init", "-q", "-b", "main")
    for message in ("one", "two"):
        git(root, "commit", "-q", "--allow-empty", "-m", message)
    git(tmp_path, "clone", "-q", "--depth", "1", root.as_uri(), "shallow")
    with pytest.raises(ReleaseError, match="shallow"):
        last_release(tmp_path / "shallow")


def test_the_command_names_event_and_field_and_fails(copy: Path) -> None:
    edit(copy / "schemas/LinkClicked/v1.json", lambda schema: schema["properties"].update(city={"type": "string"}))
    result = CliRunner().invoke(app, ["contracts", "check", "--against", str(copy)])
    assert result.exit_code == 1
    assert "herald.LinkClicked.v1: city: removed" in result.output


def test_the_command_succeeds_and_says_what_it_compared_with(copy: Path) -> None:
    result = CliRunner().invoke(app, ["contracts", "check", "--against", str(copy)])
    assert result.exit_code == 0, result.output
    assert f"compatible with {copy}" in result.output


def test_a_release_without_schemas_is_no_proof(tmp_path: Path) -> None:
    assert check(release=tmp_path) == ["the release has no schemas to compare with"]
