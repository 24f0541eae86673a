"""Ids, clock, settings, problems, cursors, versions."""

from datetime import UTC, datetime, timedelta, timezone

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chassis.clock import FixedClock, to_milliseconds
from chassis.ids import derived_id, new_id, short_code
from chassis.settings import Settings
from chassis.telemetry.otel import extract, inject
from chassis.web.http import _if_match, check_version, decode_cursor, encode_cursor
from chassis.web.problems import Invalid, NotFound, Overloaded, PreconditionRequired, StaleVersion

NEEDED = {
    "kafka_bootstrap": "k:1",
    "mongo_url": "mongodb://m",
    "redis_url": "redis://r",
    "public_url": "http://x/",
    "issuer": "http://x/issuer/",
}


def test_ids_of_one_process_sort_as_they_were_made() -> None:
    made = [new_id() for _ in range(2000)]
    assert made == sorted(made)
    assert len(set(made)) == len(made)


def test_a_derived_id_depends_on_every_part_and_on_where_they_are_cut() -> None:
    assert derived_id("a", "b") == derived_id("a", "b")
    assert derived_id("a", "b") != derived_id("ab", "")


def test_a_short_code_is_letters_and_digits() -> None:
    assert len(short_code(12)) == 12
    assert short_code().isalnum()


@given(st.datetimes(timezones=st.just(timezone(timedelta(hours=5)))))
def test_moments_are_kept_to_the_millisecond_in_utc(moment: datetime) -> None:
    kept = to_milliseconds(moment)
    assert kept.tzinfo is UTC
    assert timedelta(0) <= moment - kept < timedelta(milliseconds=1)


def test_a_fixed_clock_moves_when_told() -> None:
    clock = FixedClock(datetime(2026, 1, 1, tzinfo=UTC))
    clock.advance(timedelta(days=1))
    assert clock.now() == datetime(2026, 1, 2, tzinfo=UTC)


def test_settings_say_what_is_missing_and_take_a_namespace_everywhere() -> None:
    settings = Settings(**NEEDED, namespace="t1", fetch_allow="a.example, 10.0.0.0/8")  # type: ignore[arg-type]
    assert settings.topic("herald.people") == "t1.herald.people"
    assert settings.database("content") == "t1_herald_content"
    assert settings.redis_key("a", "b") == "t1:a:b"
    assert settings.public_url == "http://x"
    assert settings.fetch_allow == ("a.example", "10.0.0.0/8")
    with pytest.raises(ValueError, match="kafka_bootstrap"):
        Settings(**{**NEEDED, "kafka_bootstrap": None})  # type: ignore[arg-type]


def test_kafka_options_follow_the_security_settings() -> None:
    plain = Settings(**NEEDED)  # type: ignore[arg-type]
    assert plain.kafka_options() == {"bootstrap_servers": ["k:1"]}
    secured = Settings(
        **NEEDED,  # type: ignore[arg-type]
        kafka_security_protocol="SASL_SSL",
        kafka_username="u",
        kafka_password="open-sesame",  # type: ignore[arg-type]
    )
    options = secured.kafka_options()
    assert (options["sasl_plain_username"], options["sasl_plain_password"]) == ("u", "open-sesame")
    assert options["ssl_context"].check_hostname
    assert "kafka_password" in repr(secured)
    assert "open-sesame" not in repr(secured) + str(secured.model_dump()) + secured.model_dump_json()


def test_problems_carry_type_status_field_and_rule() -> None:
    document = Invalid.one("caption", "too-long", "At most 5 characters.", max=5).marshal()
    assert document["type"] == "invalid"
    assert document["status"] == 422
    assert document["errors"] == [
        {"field": "caption", "rule": "too-long", "detail": "At most 5 characters.", "params": {"max": 5}}
    ]
    assert NotFound("content", "x" * 500).marshal()["detail"].count("x") == 128
    assert Overloaded(retry_after=7).headers == {"Retry-After": "7"}


@given(
    st.recursive(
        st.none() | st.integers(-(2**53), 2**53) | st.text(max_size=20), lambda inner: st.lists(inner, max_size=4)
    ).filter(lambda position: position is not None)
)
def test_a_cursor_comes_back_as_it_went(position: object) -> None:
    assert decode_cursor(encode_cursor(position)) == position


@pytest.mark.parametrize("cursor", ["", "!", "abc", "bnVsbA", "x" * 2000, "é"])
def test_a_foreign_cursor_is_refused(cursor: str) -> None:
    with pytest.raises(Invalid):
        decode_cursor(cursor)


def test_versions_are_asked_for_and_compared() -> None:
    check_version(3, 3)
    check_version(None, 3, required=False)
    with pytest.raises(PreconditionRequired):
        check_version(None, 3)
    with pytest.raises(StaleVersion):
        check_version(2, 3)


@pytest.mark.parametrize("broken", [None, "", "00-zz-1-01", "a" * 300])
def test_a_broken_traceparent_is_no_context(broken: str | None) -> None:
    assert inject(extract(broken)) == (None, None)


def test_a_trace_context_survives() -> None:
    parent = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01"
    assert inject(extract(parent, "vendor=1")) == (parent, "vendor=1")


@pytest.mark.parametrize("header", ["*", " * "])
def test_if_match_star_holds_for_whatever_is_there(header: str) -> None:
    expected = _if_match(header)
    check_version(expected, 7)
    check_version(expected, 7, required=False)
    with pytest.raises(StaleVersion):
        check_version(expected, 0)  # nothing is there yet


@pytest.mark.parametrize("header", ['"3", "7"', 'W/"6", "7"', '"7",', ' "x", "7" '])
def test_if_match_holds_for_any_of_a_list(header: str) -> None:
    check_version(_if_match(header), 7)
    with pytest.raises(StaleVersion):
        check_version(_if_match(header), 6)


@pytest.mark.parametrize("header", ['W/"7"', "7", '"x"', '"' + "9" * 5000 + '"', '"7', '"7" "7"', ""])
def test_if_match_without_a_strong_version_holds_for_none(header: str) -> None:
    with pytest.raises(StaleVersion):
        check_version(_if_match(header), 7)
