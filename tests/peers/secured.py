"""Kafka with mutual TLS, OAUTHBEARER and its authoriser, with the users and rights that the chart makes for Strimzi;
and Redis by Sentinel, over a change of master.

Tokens are unsigned ones, which a Kafka for development takes; how Herald gets and renews them is the same.
"""

from __future__ import annotations

import asyncio
import base64
import ipaddress
import json
import logging
import tempfile
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import yaml
from aiokafka import AIOKafkaConsumer, TopicPartition
from aiokafka.admin import AIOKafkaAdminClient
from aiokafka.errors import KafkaError
from aiokafka.protocol.admin import CreateAclsRequest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.x509.oid import NameOID
from faststream.kafka import KafkaBroker
from redis.asyncio import Redis
from redis.exceptions import RedisError

from chassis.consumer.subscription import _faststream_security
from chassis.kafka.producer import Producer
from chassis.redis import client_of
from chassis.settings import KafkaSettings, Settings
from herald.contracts.chart import CHART
from herald.local import kafka as local_kafka
from herald.local.child import Child
from herald.local.kafka import Kafka
from herald.local.ports import LOOPBACK, free_ports
from herald.local.valkey import Valkey, find_binary
from herald.operations import preflight
from herald.operations.rights import missing_rights
from herald.operations.topics import apply_topics, load_topics
from herald_contracts import Record
from tests.helm import run as helm
from tests.peers import Check

PREFIX = "acme"
KINDS = {"topic": 2, "group": 3}
OPERATIONS = {"Read": 3, "Write": 4, "Describe": 8}
LITERAL, ALLOW = 3, 3
READ_SECONDS = 3.0
SECURED = """
listeners=PLAINTEXT://{host}:{{port}},CONTROLLER://{host}:{{controller_port}},SSL://{host}:{tls},SASL_PLAINTEXT://{host}:{sasl}
advertised.listeners=PLAINTEXT://{host}:{{port}},SSL://{host}:{tls},SASL_PLAINTEXT://{host}:{sasl}
listener.security.protocol.map=PLAINTEXT:PLAINTEXT,CONTROLLER:PLAINTEXT,SSL:SSL,SASL_PLAINTEXT:SASL_PLAINTEXT
ssl.keystore.type=PEM
ssl.keystore.location={folder}/broker.pem
ssl.truststore.type=PEM
ssl.truststore.location={folder}/ca.crt
ssl.client.auth=required
sasl.enabled.mechanisms=OAUTHBEARER
listener.name.sasl_plaintext.oauthbearer.sasl.jaas.config=\
org.apache.kafka.common.security.oauthbearer.OAuthBearerLoginModule required unsecuredLoginStringClaim_sub="broker";
authorizer.class.name=org.apache.kafka.metadata.authorizer.StandardAuthorizer
super.users=User:ANONYMOUS
"""


class Authority:
    """An authority of its own, and what it signs, as PEM files in a folder."""

    def __init__(self, folder: Path, name: str) -> None:
        self._folder = folder
        self._key = rsa.generate_private_key(public_exponent=65537, key_size=2048)
        self._name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])
        folder.mkdir()
        made = self._builder(self._name, self._key.public_key()).add_extension(
            x509.BasicConstraints(ca=True, path_length=None), critical=True
        )
        (folder / "ca.crt").write_bytes(self._signed(made))

    def sign(self, name: str) -> dict[str, Path]:
        """A certificate for `name` and this machine: `user.crt` and `user.key`, and both in `<name>.pem`."""
        key = rsa.generate_private_key(public_exponent=65537, key_size=2048)
        subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])
        made = self._builder(subject, key.public_key()).add_extension(
            x509.SubjectAlternativeName([x509.IPAddress(ipaddress.ip_address(LOOPBACK))]), critical=False
        )
        secret = key.private_bytes(
            serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
        )
        files = {"crt": self._folder / f"{name}.crt", "key": self._folder / f"{name}.key"}
        files["crt"].write_bytes(self._signed(made))
        files["key"].write_bytes(secret)
        (self._folder / f"{name}.pem").write_bytes(secret + files["crt"].read_bytes())
        return files

    def _builder(self, subject: x509.Name, key: rsa.RSAPublicKey) -> x509.CertificateBuilder:
        now = datetime.now(UTC)
        builder = x509.CertificateBuilder().subject_name(subject).issuer_name(self._name).public_key(key)
        builder = builder.serial_number(x509.random_serial_number())
        return builder.not_valid_before(now - timedelta(days=1)).not_valid_after(now + timedelta(days=1))

    def _signed(self, builder: x509.CertificateBuilder) -> bytes:
        return builder.sign(self._key, hashes.SHA256()).public_bytes(serialization.Encoding.PEM)


@asynccontextmanager
async def secured_kafka(folder: Path, authority: Authority) -> AsyncIterator[tuple[str, str, str]]:
    """Its addresses: plain (for who administers it), TLS, SASL."""
    ports = free_ports(["kafka", "controller", "tls", "sasl"], folder / "ports.json")
    authority.sign("broker")
    own = SECURED.format(host=LOOPBACK, tls=ports["tls"], sasl=ports["sasl"], folder=folder / "authority")
    settings = local_kafka.SETTINGS
    kept = [line for line in settings.splitlines() if not line.startswith(("listeners=", "advertised.", "listener."))]
    local_kafka.SETTINGS = "\n".join(kept) + own.replace("{host}", LOOPBACK)
    server = Kafka(folder / "kafka", folder, ports["kafka"], ports["controller"])
    try:
        await server.start()
        await server.ready()
        yield server.bootstrap, f"{LOOPBACK}:{ports['tls']}", f"{LOOPBACK}:{ports['sasl']}"
    finally:
        local_kafka.SETTINGS = settings
        await server.stop()


def users() -> dict[str, list[dict[str, Any]]]:
    """The rights of each KafkaUser that the chart makes."""
    made = helm("template", "herald", str(CHART), "--values", str(CHART / "ci/everything.yaml"))
    found = [one for one in yaml.safe_load_all(made.stdout) if one and one["kind"] == "KafkaUser"]
    return {one["metadata"]["name"]: one["spec"]["authorization"]["acls"] for one in found}


async def grant(bootstrap: str, rights: dict[str, list[dict[str, Any]]]) -> None:
    """As Strimzi's operator would."""
    admin = AIOKafkaAdminClient(bootstrap_servers=bootstrap)
    await admin.start()
    try:
        for name, acls in rights.items():
            for acl in acls:
                of = acl["resource"]
                for operation in acl["operations"]:
                    asked = CreateAclsRequest(
                        KINDS[of["type"]], of["name"], LITERAL, f"User:CN={name}", "*", OPERATIONS[operation], ALLOW
                    )
                    await admin._send_request(asked)
    finally:
        await admin.close()


async def may_write(settings: KafkaSettings, topic: str) -> bool:
    producer = Producer(settings)
    try:
        return all(await producer.send([Record(topic, b"k", b"{}", [])]))
    finally:
        await producer.close()


async def may_read(settings: KafkaSettings, topic: str) -> bool:
    """Whether the service gets its own group's part of a topic and the records in it."""
    consumer = AIOKafkaConsumer(**settings.kafka_options(), enable_auto_commit=False)
    try:
        async with asyncio.timeout(READ_SECONDS):
            await consumer.start()
            part = TopicPartition(settings.topic(topic), 0)
            consumer.assign([part])
            await consumer.seek_to_beginning(part)
            await consumer.getmany(part, timeout_ms=300)
    except (KafkaError, TimeoutError):
        return False
    else:
        return True
    finally:
        await consumer.stop()


def of_service(name: str, bootstrap: str, authority: Path, files: dict[str, Path]) -> KafkaSettings:
    return KafkaSettings(
        namespace=PREFIX,
        kafka_bootstrap=bootstrap,
        kafka_security_protocol="SSL",
        kafka_ca_file=authority / "ca.crt",
        kafka_cert_file=files["crt"],
        kafka_key_file=files["key"],
        kafka_timeout=4,
    )


async def rights_of(service: str, settings: KafkaSettings) -> str:
    """Where Kafka and the topic files disagree about what a service may do."""
    wrong = []
    for topic in load_topics():
        writes, reads = await may_write(settings, topic.name), await may_read(settings, topic.name)
        if writes != (topic.owner == service):
            wrong.append(f"{topic.name}: {'writes' if writes else 'does not write'}")
        own = topic.name == f"herald.deadletters.{service}"
        if reads != (own or service in {one.group for one in topic.consumers}):
            wrong.append(f"{topic.name}: {'reads' if reads else 'does not read'}")
    return "; ".join(wrong)


def _full(kafka: KafkaSettings) -> Settings:
    given = {"mongo_url": "mongodb://m", "redis_url": "redis://r", "public_url": "http://h", "issuer": "http://i"}
    return Settings.model_validate({**kafka.model_dump(exclude_defaults=True), **given})


async def kafka_by_certificate(folder: Path, plain: str, tls: str, authority: Authority) -> AsyncIterator[Check]:
    rights = users()
    await apply_topics(plain, PREFIX)
    await grant(plain, rights)
    for service in ("sharing", "content"):
        name = f"herald-{service}"
        settings = of_service(name, tls, folder / "authority", authority.sign(name))
        yield Check(
            f"{name} by certificate: reads and writes what the topic files say", await rights_of(service, settings)
        )
    lacking = [acl for acl in rights["herald-sharing"] if acl["resource"]["name"] != f"{PREFIX}.herald.posts"]
    await grant(plain, {"herald-lacking": lacking})
    for name, wanted in (
        ("herald-sharing", []),
        ("herald-lacking", ["Kafka: the user of sharing may not write herald.posts"]),
    ):
        settings = of_service(name, tls, folder / "authority", authority.sign(name))
        lacks = [one.partition(": give")[0] for one in await missing_rights(settings, "sharing")]
        yield Check(
            f"{name}: herald prepare says {'which right is missing' if wanted else 'nothing'}",
            "" if lacks == wanted else f"it said {lacks}",
        )
    other = Authority(folder / "other", "another authority")
    stranger = of_service("x", tls, folder / "authority", other.sign("herald-content"))
    wrote = await may_write(stranger, "herald.content")
    yield Check("a certificate of another authority is refused", "it wrote" if wrote else "")
    distrusting = of_service("x", tls, folder / "other", authority.sign("herald-metrics"))
    said = await preflight.kafka(_full(distrusting))
    good = said is not None and "is not trusted" in said and "HERALD_KAFKA_CA_FILE" in said
    yield Check("a broker of another authority: herald preflight says so", "" if good else f"it said {said}")


@asynccontextmanager
async def token_endpoint(subject: str) -> AsyncIterator[tuple[str, list[float]]]:
    """Its address, and when it was asked."""
    asked: list[float] = []

    def part(document: dict[str, Any]) -> str:
        return base64.urlsafe_b64encode(json.dumps(document).encode()).decode().rstrip("=")

    async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        asked.append(time.monotonic())
        claims = {"sub": subject, "iat": int(time.time()), "exp": int(time.time()) + 60}
        body = json.dumps({"access_token": f"{part({'alg': 'none'})}.{part(claims)}.", "expires_in": 60}).encode()
        writer.write(b"HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: %d\r\n\r\n%b" % (len(body), body))
        await writer.drain()
        writer.close()

    server = await asyncio.start_server(answer, LOOPBACK, 0)
    async with server:
        yield f"http://{LOOPBACK}:{server.sockets[0].getsockname()[1]}/token", asked


async def kafka_by_token(plain: str, sasl: str) -> AsyncIterator[Check]:
    await grant(plain, {"herald-by-token": users()["herald-content"]})
    async with token_endpoint("CN=herald-by-token") as (url, asked):
        settings = KafkaSettings.model_validate(
            {
                "namespace": PREFIX,
                "kafka_bootstrap": sasl,
                "kafka_security_protocol": "SASL_PLAINTEXT",
                "kafka_sasl_mechanism": "OAUTHBEARER",
                "kafka_oauth_url": url,
                "kafka_oauth_client_id": "herald",
                "kafka_oauth_client_secret": "s",
                "kafka_timeout": 4,
            }
        )
        wrote = await may_write(settings, "herald.content")
        refused = await may_write(settings, "herald.people")
        yield Check(
            "by OAUTHBEARER a service writes what it owns and nothing else",
            f"{wrote=} {refused=}" * (not wrote or refused),
        )
        options = settings.kafka_options()
        broker = KafkaBroker(options.pop("bootstrap_servers"), **_faststream_security(options))
        try:
            async with asyncio.timeout(10):
                await broker.start()
            wrong = "" if len(asked) >= 2 else "it asked for no token"
        except (KafkaError, TimeoutError) as error:
            wrong = repr(error)
        finally:
            await broker.stop()
        yield Check("by OAUTHBEARER FastStream's broker connects", wrong)


class Sentinel(Valkey):
    """A Sentinel that watches one master."""

    name = "sentinel"

    def __init__(self, data: Path, logs: Path, port: int, master: int) -> None:
        super().__init__(data, logs, port)
        self._master = master

    async def launch(self) -> Child:
        self.data.mkdir(parents=True, exist_ok=True)
        config = self.data / "sentinel.conf"
        config.write_text(
            f"port {self.port}\nbind {LOOPBACK}\nsentinel monitor herald {LOOPBACK} {self._master} 1\n"
            "sentinel down-after-milliseconds herald 1000\nsentinel failover-timeout herald 5000\n"
        )
        return Child(self.name, [find_binary(), str(config), "--sentinel"], self.log)


async def redis_by_sentinel(folder: Path) -> AsyncIterator[Check]:
    ports = free_ports(["one", "two", "sentinel"], folder / "redis.json")
    servers: list[Valkey] = [Valkey(folder / one, folder, ports[one]) for one in ("one", "two")]
    servers.append(Sentinel(folder / "sentinel", folder, ports["sentinel"], ports["one"]))
    try:
        for server in servers:
            await server.start()
            await server.ready()
        async with Redis(port=ports["two"]) as second, Redis(port=ports["sentinel"]) as sentinel:
            await _command(second, "REPLICAOF", LOOPBACK, ports["one"])
            url = f"redis+sentinel://{LOOPBACK}:{ports['sentinel']}/herald/0"
            settings = _full(KafkaSettings(kafka_bootstrap="k:1")).model_copy(update={"redis_url": url})
            client = client_of(settings)
            await client.set("a", "1")
            said = await preflight.redis(settings)
            yield Check("Redis by Sentinel: the master is found and written", said or "")
            asked = await _until(lambda: _fails_over(sentinel))
            moved = asked and await _until(lambda: _writes_to(client, second))
            yield Check(
                "Redis by Sentinel: after a change of master the new one is written", "" if moved else "it is not"
            )
            await client.aclose()
    finally:
        for server in reversed(servers):
            await server.stop()


async def _command(client: Redis, *words: object) -> Any:
    return await client.execute_command(*words)  # type: ignore[no-untyped-call]


async def _fails_over(sentinel: Redis) -> bool:
    """Asked of a Sentinel; it refuses for some seconds after it began to watch."""
    try:
        await _command(sentinel, "SENTINEL", "FAILOVER", "herald")
    except RedisError:
        return False
    return True


async def _writes_to(client: Redis, server: Redis) -> bool:
    try:
        await client.set("b", "2")
        return await server.get("b") == b"2" and (await server.info("replication"))["role"] == "master"
    except RedisError:
        return False


async def _until(holds: Any, seconds: float = 30.0) -> bool:
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        if await holds():
            return True
        await asyncio.sleep(0.2)
    return False


async def run() -> AsyncIterator[Check]:
    """What was tried, one after the other."""
    logging.getLogger("aiokafka").setLevel(logging.CRITICAL)  # refusals are meant
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        async for check in redis_by_sentinel(folder):
            yield check
        authority = Authority(folder / "authority", "the company's authority")
        async with secured_kafka(folder, authority) as (plain, tls, sasl):
            async for check in kafka_by_certificate(folder, plain, tls, authority):
                yield check
            async for check in kafka_by_token(plain, sasl):
                yield check
