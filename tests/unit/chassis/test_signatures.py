"""Signed calls: the right secret, the right time, the right body."""

from __future__ import annotations

import base64
from datetime import UTC, datetime, timedelta

import pytest

from chassis.web.problems import Unauthenticated
from chassis.web.signatures import TOLERANCE, secret_of, sign, verify

SECRET = secret_of("whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw")
BODY = b'{"test": 2432232314}'
AT = 1614265330
NOW = datetime.fromtimestamp(AT, UTC)


def headers(**changes: str) -> dict[str, str]:
    values = {"id": "msg_1", "timestamp": str(AT), "signature": sign(SECRET, "msg_1", AT, BODY), **changes}
    return {f"webhook-{name}": value for name, value in values.items()}


def test_the_example_of_standard_webhooks_is_signed_as_there() -> None:
    signature = sign(SECRET, "msg_p5jXN8AQM9LWM0D4loKWxJek", AT, BODY)
    assert signature == "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE="


def test_a_call_that_is_signed_is_taken_also_while_a_secret_is_replaced() -> None:
    assert verify([SECRET], headers(), BODY, NOW).id == "msg_1"
    other = secret_of("whsec_" + base64.b64encode(bytes(32)).decode())
    assert verify([other, SECRET], headers(), BODY, NOW + TOLERANCE).id == "msg_1"
    both = f"v1,AAAA v2,x {sign(SECRET, 'msg_1', AT, BODY)}"
    assert verify([SECRET], headers(signature=both), BODY, NOW - TOLERANCE).id == "msg_1"


@pytest.mark.parametrize(
    ("changed", "body", "late", "rule"),
    [
        ({"signature": ""}, BODY, 0, "missing"),
        ({"id": ""}, BODY, 0, "missing"),
        ({"timestamp": "soon"}, BODY, 0, "timestamp"),
        ({"timestamp": "²"}, BODY, 0, "timestamp"),
        ({"timestamp": "9" * 40}, BODY, 0, "timestamp"),
        ({}, BODY, 301, "timestamp"),
        ({}, BODY, -301, "timestamp"),
        ({"id": "msg_2"}, BODY, 0, "signature"),
        ({"timestamp": str(AT + 1)}, BODY, 0, "signature"),
        ({}, BODY + b" ", 0, "signature"),
        ({"signature": "v1,é"}, BODY, 0, "signature"),
        ({"signature": sign(SECRET, "msg_1", AT, BODY).replace("v1,", "v2,")}, BODY, 0, "signature"),
    ],
)
def test_a_call_that_is_not_is_refused(changed: dict[str, str], body: bytes, late: int, rule: str) -> None:
    with pytest.raises(Unauthenticated) as raised:
        verify([SECRET], headers(**changed), body, NOW + timedelta(seconds=late))
    assert raised.value.extras["rule"] == rule


def test_without_a_secret_nothing_is_signed() -> None:
    with pytest.raises(Unauthenticated):
        verify([], headers(), BODY, NOW)


@pytest.mark.parametrize("text", ["", "whsec_", "whsec_AAAA", "MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw", "whsec_!" * 9])
def test_a_weak_secret_is_none(text: str) -> None:
    with pytest.raises(ValueError, match="whsec_"):
        secret_of(text)
