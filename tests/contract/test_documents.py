"""The generated documents are fresh, and hold before judges that are not ours."""

import json
import shutil
from pathlib import Path
from typing import Any

import pytest
import yaml
from jsonschema import Draft202012Validator
from openapi_spec_validator import OpenAPIV31SpecValidator

from herald.contracts.documents import generate, stale
from herald.local.plan import SERVICES
from herald.operations.topics import CONTRACTS, load_topics
from herald_contracts import Event
from herald_contracts.envelope import schema_id
from tests.node import run_script


def judged(document: dict[str, Any], folder: Path) -> list[dict[str, str]]:
    """The errors and warnings of the official AsyncAPI parser."""
    file = folder / "asyncapi.yaml"
    file.write_text(yaml.safe_dump(document))
    found: list[dict[str, str]] = json.loads(run_script("validate-asyncapi.mjs", str(file)))
    return [one for one in found if one["severity"] in ("error", "warning")]


@pytest.fixture
def asyncapi() -> dict[str, Any]:
    document: dict[str, Any] = yaml.safe_load((CONTRACTS / "asyncapi.yaml").read_text())
    return document


def test_everything_generated_is_fresh() -> None:
    assert stale() == []


def test_what_is_stale_is_named_and_written_again(tmp_path: Path) -> None:
    shutil.copytree(CONTRACTS, tmp_path / "contracts", ignore=shutil.ignore_patterns("herald_contracts"))
    root = tmp_path / "contracts"
    (root / "schemas/PostShared/v1.json").unlink()
    (root / "schemas/PostShared/v9.json").write_text("{}")
    (root / "asyncapi.yaml").write_text("asyncapi: 3.0.0\n")
    wrong = [Path("asyncapi.yaml"), Path("schemas/PostShared/v1.json"), Path("schemas/PostShared/v9.json")]
    assert stale(root) == wrong
    assert generate(root) == wrong
    assert stale(root) == []
    assert (root / "asyncapi.yaml").read_bytes() == (CONTRACTS / "asyncapi.yaml").read_bytes()


@pytest.mark.parametrize("event", sorted(Event.registry))
def test_schemas_are_json_schema(event: str) -> None:
    _, name, version = event.split(".")
    schema = json.loads((CONTRACTS / "schemas" / name / f"{version}.json").read_text())
    Draft202012Validator.check_schema(schema)
    assert schema["$id"] == schema_id(event)


def test_asyncapi_holds_before_the_official_parser(asyncapi: dict[str, Any], tmp_path: Path) -> None:
    assert judged(asyncapi, tmp_path) == []


def test_the_parser_would_see_faults(asyncapi: dict[str, Any], tmp_path: Path) -> None:
    asyncapi["operations"]["sharing.send.herald.posts"]["action"] = "shout"
    asyncapi["channels"]["herald.posts"]["bindings"]["kafka"]["partitions"] = "six"
    asyncapi["components"]["schemas"]["PostShared"]["type"] = "things"
    places = " ".join(one["path"] for one in judged(asyncapi, tmp_path) if one["severity"] == "error")
    for place in ("operations.sharing.send.herald.posts", "channels.herald.posts", "components.schemas.PostShared"):
        assert place in places


def test_asyncapi_has_every_topic_event_and_group(asyncapi: dict[str, Any]) -> None:
    topics = load_topics()
    assert list(asyncapi["channels"]) == [topic.name for topic in topics]
    for topic in topics:
        messages = {f"herald.{name}" for name in asyncapi["channels"][topic.name]["messages"]}
        assert messages == set(topic.events or ["herald.DeadLetter"])
        receivers = {
            operation["bindings"]["kafka"]["groupId"]["const"]
            for operation in asyncapi["operations"].values()
            if operation["action"] == "receive" and operation["channel"]["$ref"].endswith(f"/{topic.name}")
        }
        assert receivers == {consumer.group for consumer in topic.consumers}


@pytest.mark.parametrize("service", SERVICES)
def test_openapi_holds_before_a_validator(service: str) -> None:
    OpenAPIV31SpecValidator(json.loads((CONTRACTS / f"openapi/{service}.json").read_text())).validate()
