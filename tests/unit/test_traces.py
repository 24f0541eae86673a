"""A trace as Jaeger tells it is the same spans as in the local files."""

from __future__ import annotations

from herald.operations.traces import spans_of_jaeger

TRACE = "4bf92f3577b34da6a3ce929d0e0e4736"
ANSWER = [
    {
        "traceID": TRACE,
        "processes": {"p1": {"serviceName": "hub"}, "p2": {"serviceName": "sharing"}},
        "spans": [
            {
                "traceID": TRACE,
                "spanID": "00f067aa0ba902b8",
                "operationName": "process herald.posts",
                "references": [
                    {"refType": "CHILD_OF", "traceID": TRACE, "spanID": "00f067aa0ba902b7"},
                    {"refType": "FOLLOWS_FROM", "traceID": "1" * 31, "spanID": "00f067aa0ba90201"},
                ],
                "startTime": 1_764_000_000_000_100,
                "duration": 1_500,
                "tags": [
                    {"key": "span.kind", "type": "string", "value": "consumer"},
                    {"key": "otel.status_code", "type": "string", "value": "ERROR"},
                    {"key": "error", "type": "bool", "value": True},
                    {"key": "messaging.destination.name", "type": "string", "value": "herald.posts"},
                ],
                "processID": "p2",
            },
            {
                "traceID": TRACE,
                "spanID": "00f067aa0ba902b7",
                "operationName": "POST /feed/{item_id}/share",
                "references": [],
                "startTime": 1_764_000_000_000_000,
                "duration": 90_000,
                "tags": [{"key": "span.kind", "type": "string", "value": "server"}],
                "processID": "p1",
            },
        ],
    }
]


def test_spans_come_by_their_start_with_parents_links_and_errors() -> None:
    tap, processed = spans_of_jaeger(ANSWER)
    assert (tap.service, tap.kind, tap.parent_id, tap.links, tap.status) == ("hub", "SERVER", None, [], "UNSET")
    assert tap.milliseconds == 90
    assert (processed.service, processed.kind, processed.parent_id) == ("sharing", "CONSUMER", tap.span_id)
    assert processed.status == "ERROR"
    assert processed.attributes == {"messaging.destination.name": "herald.posts"}
    assert processed.links == [{"trace_id": "0" + "1" * 31, "span_id": "00f067aa0ba90201"}]


def test_a_parent_that_is_linked_to_as_well_is_the_parent() -> None:
    """As Jaeger 2 answers for a consumer's span, which has both: with the link alone."""
    [raw] = ANSWER
    [processed, tap] = raw["spans"]
    linked = {"refType": "FOLLOWS_FROM", "traceID": TRACE, "spanID": "00f067aa0ba902b7"}
    elsewhere = {"refType": "FOLLOWS_FROM", "traceID": "1" * 31, "spanID": "00f067aa0ba90201"}
    spans = [{**processed, "references": [elsewhere, linked]}, {**tap, "references": [elsewhere]}]  # type: ignore[dict-item]
    first, second = spans_of_jaeger([{**raw, "spans": spans}])
    assert first.parent_id is None
    assert second.parent_id == first.span_id
    assert second.links == [
        {"trace_id": "0" + "1" * 31, "span_id": "00f067aa0ba90201"},
        {"trace_id": TRACE, "span_id": first.span_id},
    ]
