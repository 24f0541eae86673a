"""What must be there before Herald is installed or updated, each looked at from where Herald will run.

A finding is one sentence that says what to do. Nothing is changed anywhere.
"""

from __future__ import annotations

import asyncio
import socket
import ssl
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from typing import Any

import httpx
from aiokafka.errors import KafkaError
from pymongo import AsyncMongoClient
from pymongo.errors import OperationFailure, PyMongoError
from redis.exceptions import AuthenticationError, RedisError

from chassis.authorities import https_context
from chassis.redis import client_of
from chassis.settings import Settings
from chassis.web.tokens import LEEWAY_SECONDS, discovery_url
from herald.operations.secrets import flaw
from herald.operations.topics import Change, plan_topics

SECONDS = 15.0


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing that was looked at: `problem` is None where it is as it must be."""

    about: str
    problem: str | None = None


def missing_secrets(needs: Mapping[str, str], environ: Mapping[str, str]) -> list[Finding]:
    """`needs`: each variable with the place that it should come from, for people to read."""
    found = []
    for variable, place in needs.items():
        value = environ.get(variable, "")
        problem = flaw(variable, value) if value else "is not there"
        if problem:
            found.append(Finding(variable, f"{place} {problem}: 'herald secrets list' says what belongs there"))
    return found


def step_problem(installed: str, wanted: str) -> str | None:
    """Why an installation of one version cannot become one of the other in one step, forward or back: events and stored
    rows are read by the code of the release before and after, and by no other."""
    try:
        before, after = (tuple(int(part) for part in version.split(".")[:2]) for version in (installed, wanted))
    except ValueError:
        return None  # a build of one's own
    if len(before) < 2 or len(after) < 2 or before[0] != after[0] or abs(after[1] - before[1]) <= 1:
        return None
    next_ = f"{before[0]}.{before[1] + (1 if after > before else -1)}"
    return f"{installed} is installed, and {wanted} is more than one release away: first install {next_} (UPGRADING.md)"


async def look(settings: Settings) -> list[Finding]:
    """Kafka with its topics, MongoDB, Redis and the issuer, at once."""
    asked: dict[str, Callable[[Settings], Awaitable[str | None]]] = {
        "Kafka": kafka,
        "MongoDB": mongodb,
        "Redis": redis,
        "issuer": issuer,
    }
    found = await asyncio.gather(*(_in_time(ask(settings)) for ask in asked.values()))
    return [Finding(name, problem) for name, problem in zip(asked, found, strict=True)]


async def _in_time(asked: Awaitable[str | None]) -> str | None:
    try:
        return await asyncio.wait_for(asked, SECONDS)
    except TimeoutError:
        return f"does not answer within {SECONDS:.0f} s: look at its address and at the network policies"


async def kafka(settings: Settings) -> str | None:
    try:
        options = settings.kafka_options()
        changes = await plan_topics(options.pop("bootstrap_servers"), settings.namespace, **options)
    except (KafkaError, OSError) as error:
        certificate = await asyncio.to_thread(_certificate_problem, settings)
        return certificate or f"{settings.kafka_bootstrap} cannot be used: {type(error).__name__}: {error}"[:300]
    return _few_partitions(changes, settings)


def _few_partitions(changes: list[Change], settings: Settings) -> str | None:
    few = [
        f"{settings.topic(one.topic)} has {one.actual} of {one.wanted}"
        for one in changes
        if one.setting == "partitions" and one.actual is not None and int(one.actual) < int(one.wanted)
    ]
    if not few:
        return None
    return f"topics with too few partitions ({', '.join(few)}): stop the services, then 'herald topics apply --grow'"


def _certificate_problem(settings: Settings) -> str | None:
    """Why a TLS handshake with the first broker fails; None where it does not, or where there is no TLS."""
    context = settings.kafka_options().get("ssl_context")
    if context is None:
        return None
    host, _, port = settings.kafka_bootstrap.split(",")[0].strip().rpartition(":")
    try:
        with (
            socket.create_connection((host.strip("[]"), int(port)), timeout=5) as connection,
            context.wrap_socket(connection, server_hostname=host.strip("[]")),
        ):
            return None
    except ssl.SSLCertVerificationError as error:
        return (
            f"the certificate of {host}:{port} is not trusted ({error.verify_message}): HERALD_KAFKA_CA_FILE must have "
            "the authority that signed it"
        )
    except (OSError, ValueError):
        return None


async def mongodb(settings: Settings) -> str | None:
    try:
        client: AsyncMongoClient[dict[str, Any]] = AsyncMongoClient(
            settings.mongo_url, serverSelectionTimeoutMS=5_000, **settings.mongo_options()
        )
    except (PyMongoError, ValueError) as error:
        return f"HERALD_MONGO_URL is no address of a MongoDB: {type(error).__name__}"
    try:
        said = await client.admin.command("hello")
        if "setName" not in said and said.get("msg") != "isdbgrid":
            return "is no replica set, which transactions need: start it with --replSet and initiate it"
        await client[settings.database("program")].command("ping")
    except OperationFailure as error:
        return f"refuses: {error.details['codeName'] if error.details else error.code}: look at HERALD_MONGO_URL's user"
    except PyMongoError as error:
        return (
            f"cannot be reached: {type(error).__name__}: look at HERALD_MONGO_URL, and at HERALD_MONGO_CA_FILE for TLS"
        )
    finally:
        await client.close()
    return None


async def redis(settings: Settings) -> str | None:
    client = client_of(settings, seconds=5)
    try:
        await client.ping()
    except AuthenticationError:
        return "refuses the password: look at HERALD_REDIS_URL"
    except (RedisError, OSError) as error:
        return (
            f"cannot be reached: {type(error).__name__}: look at HERALD_REDIS_URL, and at HERALD_REDIS_CA_FILE for TLS"
        )
    finally:
        await client.aclose()
    return None


async def issuer(settings: Settings) -> str | None:
    url = discovery_url(settings.issuer)
    try:
        async with httpx.AsyncClient(timeout=10, trust_env=False, verify=https_context(settings.ca_file)) as client:
            answer = await client.get(url)
        said = answer.raise_for_status().json().get("issuer")
    except httpx.HTTPStatusError as error:
        return f"{url} answers {error.response.status_code}: is HERALD_ISSUER the issuer's address?"
    except (httpx.HTTPError, httpx.InvalidURL, ValueError, AttributeError) as error:
        return f"no issuer answers at {url} ({type(error).__name__}); HERALD_CA_FILE names an authority of your own"
    if said != settings.issuer:
        return f"calls itself {said}: give that address, letter by letter, as HERALD_ISSUER"
    return clock_problem(answer.headers.get("date"), datetime.now(UTC))


def clock_problem(date: str | None, now: datetime) -> str | None:
    """Whether the issuer's clock, as its Date header has it, is too far from this one for its tokens to hold."""
    try:
        seconds = abs((parsedate_to_datetime(date or "") - now).total_seconds())
    except (TypeError, ValueError):
        return None
    if seconds <= LEEWAY_SECONDS:
        return None
    return f"its clock and this machine's are {seconds:.0f} s apart, of which tokens bear {LEEWAY_SECONDS} s: set them"
