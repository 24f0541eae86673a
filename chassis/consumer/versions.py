"""What is done with an event in a version that a consumer does not take (ADR 0009).

| the event's type | and | then |
|---|---|---|
| is a listed version of a fact | another version of that fact is taken here | passed over, `other-version` |
| is a version that no topic file lists | another version of that fact is taken here | poison, `version-unknown` |
| is a version of a fact for this service, by the topic file | it takes none | poison, `version-not-taken` |
| is anything else of Herald's | | passed over, `not-asked-for` |
"""

from __future__ import annotations

from collections.abc import Collection
from functools import cache
from pathlib import Path

import yaml

from herald_contracts import Event, Undecodable

TOPIC_FILES = Path(__file__).resolve().parents[2] / "contracts" / "topics"
MAX_TYPE = 256


def fact_of(event_type: str) -> str:
    """The type without its version: all versions of a fact have it in common."""
    return event_type.rpartition(".")[0]


@cache
def listed_for(service: str, folder: Path = TOPIC_FILES) -> frozenset[str]:
    """The types that the topic files list for a consumer; none where there are no topic files."""
    topics = [yaml.safe_load(path.read_text("utf-8")) for path in sorted(folder.glob("*.yaml"))]
    return frozenset(
        event
        for topic in topics
        for consumer in topic["consumers"]
        if consumer["group"] == service
        for event in consumer["events"]
    )


class Versions:
    """The rules above for a consumer that takes the types `taken` and is listed for the types `listed`."""

    def __init__(self, taken: Collection[str], listed: Collection[str]) -> None:
        self._taken_facts = {fact_of(one) for one in taken}
        self._listed_facts = {fact_of(one) for one in listed}

    def why_passed_over(self, event_type: str) -> str:
        """The reason, for a type of Herald's that is not taken. Raises Undecodable where it is poison.

        The contracts check that the registered types are those that the topic files list.
        """
        fact = fact_of(event_type)
        if fact in self._taken_facts:
            if event_type in Event.registry:
                return "other-version"
            raise Undecodable("version-unknown", event_type[:MAX_TYPE])
        if fact in self._listed_facts:
            raise Undecodable("version-not-taken", event_type[:MAX_TYPE])
        return "not-asked-for"
