"""How servers are reached: what the settings take, what they refuse, and what the clients are given."""

import asyncio
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import httpx
import pytest
from aiokafka.errors import KafkaConnectionError
from pydantic import ValidationError

from chassis.config_files import load_config_files
from chassis.kafka.tokens import ClientCredentials
from chassis.redis import client_of
from chassis.redis_url import Sentinels, parse_redis_url
from chassis.settings import KafkaSettings, Settings
from chassis.web.prefix import Prefix
from herald.operations.preflight import clock_problem, missing_secrets, step_problem
from herald.operations.secrets import flaw, made
from services.sharing.settings import SharingSettings
from tests.unit.hub.test_rules import settings as hub_settings

NEEDED = {"mongo_url": "mongodb://m", "redis_url": "redis://r", "public_url": "http://h", "issuer": "http://i"}


def kafka(**given: Any) -> KafkaSettings:
    return KafkaSettings.model_validate({"kafka_bootstrap": "k:9093", **given})


@pytest.mark.parametrize(
    ("given", "said"),
    [
        ({"kafka_security_protocol": "SASL_SSL"}, "HERALD_KAFKA_USERNAME is needed for SCRAM-SHA-512"),
        (
            {"kafka_security_protocol": "SASL_SSL", "kafka_sasl_mechanism": "OAUTHBEARER", "kafka_username": "u"},
            "HERALD_KAFKA_OAUTH_URL is needed for OAUTHBEARER",
        ),
        ({"kafka_cert_file": __file__, "kafka_security_protocol": "SSL"}, "go together"),
        ({"kafka_cert_file": __file__, "kafka_key_file": __file__}, "needs HERALD_KAFKA_SECURITY_PROTOCOL=SSL"),
        ({"kafka_ca_file": "/nowhere"}, "does not point to a file"),
        ({"kafka_ca_file": __file__, "kafka_security_protocol": "SSL"}, f"HERALD_KAFKA_CA_FILE: {__file__}"),
        (
            {"kafka_cert_file": __file__, "kafka_key_file": __file__, "kafka_security_protocol": "SSL"},
            f"HERALD_KAFKA_CERT_FILE: {__file__}",
        ),
        ({"ca_file": __file__}, "has no certificates"),
    ],
)
def test_settings_of_kafka_that_cannot_work_are_refused_at_the_start(given: dict[str, Any], said: str) -> None:
    with pytest.raises(ValidationError, match=said.replace("(", r"\(")):
        kafka(**given)


def test_a_token_for_kafka_is_asked_for_once_and_renewed_before_it_ends(monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[httpx.Request] = []

    def answer(request: httpx.Request) -> httpx.Response:
        asked.append(request)
        return httpx.Response(200, json={"access_token": f"t{len(asked)}", "expires_in": 100})

    async def token_at(seconds: float) -> str:
        monkeypatch.setattr("chassis.kafka.tokens.time.monotonic", lambda: seconds)
        return await provider.token()

    async def tokens() -> list[str]:
        return [await token_at(seconds) for seconds in (0.0, 79.0, 81.0)]

    provider = ClientCredentials(
        "https://i/token", "herald", "open-sesame", "kafka", transport=httpx.MockTransport(answer)
    )
    assert asyncio.run(tokens()) == ["t1", "t1", "t2"]
    assert asked[0].content == b"grant_type=client_credentials&scope=kafka"
    assert asked[0].headers["authorization"].startswith("Basic ")


@pytest.mark.parametrize(
    ("answer", "said"),
    [
        (httpx.Response(401, text="open-sesame"), "https://i/token answered 401"),
        (httpx.Response(200, json={}), "without an access token"),
        (httpx.Response(200, text="<html>"), "without an access token"),
    ],
)
def test_why_there_is_no_token_is_said_without_a_secret(answer: httpx.Response, said: str) -> None:
    transport = httpx.MockTransport(lambda _: answer)
    provider = ClientCredentials("https://i/token", "herald", "open-sesame", transport=transport)
    with pytest.raises(KafkaConnectionError, match=said) as refused:
        asyncio.run(provider.token())
    assert "open-sesame" not in str(refused.value)


def test_kafka_by_token_is_given_its_provider_and_no_password() -> None:
    options = kafka(
        kafka_security_protocol="SASL_PLAINTEXT",
        kafka_sasl_mechanism="OAUTHBEARER",
        kafka_oauth_url="https://i/token",
        kafka_oauth_client_id="herald",
        kafka_oauth_client_secret="open-sesame",
    ).kafka_options()
    assert isinstance(options.pop("sasl_oauth_token_provider"), ClientCredentials)
    assert options == {
        "bootstrap_servers": ["k:9093"],
        "security_protocol": "SASL_PLAINTEXT",
        "sasl_mechanism": "OAUTHBEARER",
    }


def test_an_address_by_sentinel_names_the_sentinels_the_master_and_both_passwords() -> None:
    assert parse_redis_url("rediss://:x@r:6380/0") is None
    found = parse_redis_url("redis+sentinel://u:p%40ss@s1:1,[2001:db8::1]:2,s3/herald/4?sentinel_password=q")
    assert found == Sentinels(
        hosts=(("s1", 1), ("2001:db8::1", 2), ("s3", 26379)),
        master="herald",
        tls=False,
        of_master={"db": 4, "username": "u", "password": "p@ss"},
        of_sentinels={"password": "q"},
    )


@pytest.mark.parametrize(
    "url", ["http://r", "redis+sentinel://s1:1", "redis+sentinel:///herald", "redis+sentinel://s/m/x"]
)
def test_what_is_no_address_of_a_redis_is_refused_without_its_password(url: str) -> None:
    with pytest.raises(ValidationError) as refused:
        Settings.model_validate(
            {**NEEDED, "kafka_bootstrap": "k:1", "redis_url": url.replace("://", "://:open-sesame@")}
        )
    assert "open-sesame" not in str(refused.value.errors()[0]["msg"])


def test_the_client_by_sentinel_has_the_limits_of_the_plain_one() -> None:
    def options(url: str) -> dict[str, Any]:
        settings = Settings.model_validate({**NEEDED, "kafka_bootstrap": "k:1", "redis_url": url})
        return dict(client_of(settings).connection_pool.connection_kwargs)

    plain, by_sentinel = options("redis://r:1/2"), options("redis+sentinel://s:1/herald/2")
    for name in ("socket_timeout", "socket_connect_timeout", "health_check_interval", "decode_responses", "db"):
        assert plain[name] == by_sentinel[name], name


def test_variables_come_from_files_what_is_set_already_first(tmp_path: Path) -> None:
    first, second = tmp_path / "first", tmp_path / "second"
    for folder, files in {
        first: {"HERALD_MONGO_URL": "mongodb://m\n", "..data": "x", "PATH": "/evil", "HERALD_ISSUER": "http://file"},
        second: {"HERALD_MONGO_URL": "mongodb://other", "HERALD_REDIS_URL": "redis://r\r\n"},
    }.items():
        folder.mkdir()
        for name, text in files.items():
            (folder / name).write_text(text)
    environ = {"HERALD_CONFIG_DIR": f"{first}:{second}", "HERALD_ISSUER": "http://set"}
    load_config_files(environ)
    del environ["HERALD_CONFIG_DIR"]
    assert environ == {
        "HERALD_MONGO_URL": "mongodb://m",
        "HERALD_REDIS_URL": "redis://r",
        "HERALD_ISSUER": "http://set",
    }
    with pytest.raises(FileNotFoundError):
        load_config_files({"HERALD_CONFIG_DIR": str(tmp_path / "nowhere")})


@pytest.mark.parametrize(
    ("path", "seen"),
    [
        ("/api/content/v1/items", "/v1/items"),
        ("/v1/items", "/v1/items"),
        ("/api/contents/v1", "/api/contents/v1"),
        ("/api/content/health/ready", "/-"),
        ("/api/content/metrics", "/-"),
        ("/api/content/metricsx", "/metricsx"),
        ("/metrics", "/metrics"),
    ],
)
def test_below_its_prefix_an_api_answers_as_ever_and_shows_nothing_of_the_inside(path: str, seen: str) -> None:
    found: list[tuple[str, bytes]] = []

    async def inner(scope: Any, receive: Any, send: Any) -> None:
        found.append((scope["path"], scope["raw_path"]))

    scope = {"type": "http", "path": path, "raw_path": path.encode()}
    asyncio.run(Prefix(inner, "/api/content")(scope, None, None))  # type: ignore[arg-type]
    assert found == [(seen, seen.encode())]


def test_a_secret_that_is_missing_or_too_short_is_named_with_its_place() -> None:
    needs = {
        name: f"Secret herald, key {name}," for name in ("HERALD_SESSION_KEY", "HERALD_VISITOR_KEY", "HERALD_MONGO_URL")
    }
    short = {
        "HERALD_SESSION_KEY": f"{made()},{made()}",
        "HERALD_VISITOR_KEY": made(16),
        "HERALD_MONGO_URL": "mongodb://m",
    }
    (found,) = missing_secrets(needs, short)
    assert "Secret herald, key HERALD_VISITOR_KEY, has 16 bytes instead of 32" in str(found.problem)
    assert len(missing_secrets(needs, {})) == 3
    assert missing_secrets(needs, {**short, "HERALD_VISITOR_KEY": made()}) == []


@pytest.mark.parametrize(
    "key", [f"{made()},{made()}", "not base64!", made(16), ""], ids=["two", "signs", "short", "none"]
)
def test_what_the_look_before_an_update_refuses_as_a_visitor_key_sharing_refuses_too(key: str) -> None:
    assert flaw("HERALD_VISITOR_KEY", key)
    with pytest.raises(ValidationError, match="base64url"):
        SharingSettings.model_validate({**NEEDED, "kafka_bootstrap": "k:9093", "visitor_key": key})


@pytest.mark.parametrize("key", [f"{made()},{made(48)}", made(48), made(16), f"{made()},"], ids=range(4))
def test_what_the_look_before_an_update_refuses_as_a_session_key_the_hub_refuses_too(key: str) -> None:
    assert flaw("HERALD_SESSION_KEY", key)
    with pytest.raises(ValidationError, match="32"):
        hub_settings(session_key=key)


@pytest.mark.parametrize(
    ("installed", "wanted", "first"),
    [
        ("0.1.0", "0.1.0", None),
        ("0.1.0", "0.2.3", None),
        ("0.2.0", "0.1.4", None),
        ("0.1.0", "0.3.0", "0.2"),
        ("0.9.1", "0.7.0", "0.8"),
        ("0.9.0", "1.0.0", None),
        ("mine", "0.3.0", None),
        ("1", "0.3.0", None),
    ],
)
def test_a_step_over_a_release_is_refused_with_the_one_between(installed: str, wanted: str, first: str | None) -> None:
    said = step_problem(installed, wanted)
    assert (said is None) if first is None else (f"first install {first} " in str(said))


def test_a_clock_five_minutes_off_is_said() -> None:
    now = datetime(2026, 11, 28, 9, 0, 0, tzinfo=UTC)
    assert clock_problem("Sat, 28 Nov 2026 09:00:20 GMT", now) is None
    assert "300 s apart" in str(clock_problem("Sat, 28 Nov 2026 08:55:00 GMT", now))
    assert clock_problem(None, now) is None
    assert clock_problem("yesterday", now) is None
