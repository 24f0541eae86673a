"""From a post to the trace of the tap that shared it, by what Kafka holds."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from pathlib import Path

from chassis.settings import StoreSettings
from herald.operations.traces import facts_of_post
from herald_contracts import PostRemoved, PostShared, encode
from tests.integration.harness import Harness

EXAMPLES = Path(__file__).parents[2] / "contracts/examples"
TAP, REMOVAL = "a" * 32, "b" * 32


async def test_a_posts_facts_come_in_order_with_their_traces(harness: Harness) -> None:
    await harness.create_topics([PostShared.topic])
    [example, *_] = sorted((EXAMPLES / "PostShared/v1").glob("*.json"))
    shared = PostShared.model_validate(json.loads(example.read_text("utf-8"))["data"])
    removed = PostRemoved(
        post_id=shared.post_id,
        ambassador_id=shared.ambassador_id,
        program_id=shared.program_id,
        content_id=shared.content_id,
        network=shared.network,
        reason="ambassador",
        occurred_at=shared.occurred_at + timedelta(days=1),
    )
    other = shared.model_copy(update={"post_id": f"{shared.post_id}x"})
    at = datetime(2026, 3, 2, 9, tzinfo=UTC)
    for event, id, time, trace in (
        (removed, "1", at + timedelta(days=1), REMOVAL),
        (shared, "2", at, TAP),
        (other, "3", at, "c" * 32),
    ):
        parent = f"00-{trace}-{'1' * 16}-01"
        await harness.publish_record(encode(event, id=f"018f{'0' * 27}{id}", time=time, traceparent=parent))
    infra = harness.infra
    settings = StoreSettings(
        kafka_bootstrap=infra.kafka_bootstrap, mongo_url=infra.mongo_url, namespace=harness.namespace
    )
    facts = await facts_of_post(settings, shared.post_id)
    assert [(fact.event_type, fact.trace_id) for fact in facts] == [
        (PostShared.type, TAP),
        (PostRemoved.type, REMOVAL),
    ]
    assert await facts_of_post(settings, "nothing") == []
