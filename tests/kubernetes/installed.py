"""A Herald that the chart installed, on servers in the same namespace, reached by the addresses of Services."""

from __future__ import annotations

import asyncio
import base64
import json
import os
import socket
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import httpx
import yaml
from aiosmtpd.smtp import SMTP
from pymongo import AsyncMongoClient

from herald.development.mailbox import Mailbox
from herald.local import credentials
from herald.local.home import Home
from herald.operations.recover import OWNERS
from tests.kubernetes import servers
from tests.kubernetes.cluster import Cluster, Failed, Manifest, until

CHART = Path(__file__).parents[2] / "deploy/helm/herald"
REGISTRY = os.environ.get("HERALD_KUBERNETES_REGISTRY", "localhost")
TAG = os.environ.get("HERALD_KUBERNETES_TAG", "dev")
STANDINS = {name: f"{REGISTRY}/{name}:standin" for name in ("kafka", "mongo", "valkey")}
REPLICAS = int(os.environ.get("HERALD_KUBERNETES_REPLICAS", "2"))
FEW = {"requests": {"cpu": os.environ.get("HERALD_KUBERNETES_CPU", "20m")}}
"""All roles fit on a small node; what a role asks for by itself is of a company's load."""

READY_SECONDS = 600.0
SELECTOR = "app.kubernetes.io/instance=herald"
COMPONENT = "app.kubernetes.io/component"
SPOOL = "herald_links_spool_size_bytes"
CLICKS_SPOOLED = 'herald_links_clicks_total{kept="spool"'


def image(service: str, tag: str = TAG) -> str:
    return f"{REGISTRY}/herald-{service}:{tag}"


@dataclass
class Installation:
    """Where everything is. It is what the workload and the checker of the fault suite act on, too."""

    cluster: Cluster
    home: Home
    url: str = ""
    kafka: str = ""
    mongo_address: str = ""
    machine: str = ""
    pods_network: str = ""
    mails_port: int = 0
    values: dict[str, Any] = field(default_factory=dict)
    secret: dict[str, str] = field(default_factory=dict)

    @property
    def links_url(self) -> str:
        return self.url

    @property
    def trusted(self) -> list[str]:
        """The front, and this machine, which says of visitors where they come from."""
        return [self.pods_network, f"{self.machine}/32"]

    @property
    def mongo_direct(self) -> str:
        return f"mongodb://{servers.ROOT}:{servers.ROOT_PASSWORD}@{self.mongo_address}:27017/?directConnection=true"

    # --- what the company brings ---------------------------------------------------------------------------------

    async def bring(self) -> None:
        """Servers, their users, volumes, and the front; ready when this returns."""
        self.home.prepare()
        made = credentials.environment(self.home)
        await self.cluster.apply(
            [
                servers.service("front", {"http": 8080}),
                servers.service("kafka", {"plain": 9092, "sasl": 9094}),
                servers.service("mongo", {"mongo": 27017}),
                servers.service("valkey", {"valkey": 6379}),
            ]
        )
        front, kafka, mongo = [
            (await self.cluster.one("service", name))["spec"]["clusterIP"] for name in ("front", "kafka", "mongo")
        ]
        self.url, self.kafka, self.mongo_address = f"http://{front}:8080", f"{kafka}:9092", mongo
        self.machine = _source_address(front)
        storage_class = os.environ.get("HERALD_KUBERNETES_STORAGE_CLASS") or await self._static_volumes()
        self.secret = {
            "mongo-url": self._mongo_url("herald", "first-of-mongo"),
            "redis-url": f"redis://:{servers.VALKEY_PASSWORD}@valkey:6379/0",
            "hub-client-secret": made["HERALD_HUB_CLIENT_SECRET"],
            "session-key": made["HERALD_SESSION_KEY"],
            "visitor-key": made["HERALD_VISITOR_KEY"],
            "recruiting-secrets": made["HERALD_RECRUITING_SECRETS"],
            "kafka-password": servers.USERS["herald"],
        }
        given = {"hub-client-secret": self.secret["hub-client-secret"], "keyfile": servers.KEYFILE}
        given["issuer.pem"] = self.home.issuer_key.read_text()
        await self.cluster.apply([_secret("servers", given), _secret("herald", self.secret)])
        await self.cluster.apply(
            [
                servers.kafka(STANDINS["kafka"], kafka, storage_class),
                servers.mongo(STANDINS["mongo"], storage_class),
                servers.valkey(STANDINS["valkey"]),
            ]
        )
        await self._rolled_out("kafka", "mongo", "valkey")
        [one] = await self.cluster.get("pods", "app=kafka")
        self.pods_network = _network(one["status"]["podIP"])
        await self._replica_set()
        await self.mongo_user("herald", "first-of-mongo")
        names = ("program", "content", "sharing", "gamification", "metrics", "hub")
        upstreams = {f"HERALD_{name.upper()}_UPSTREAM": f"http://herald-{name}-api:8080" for name in names}
        upstreams["HERALD_LINKS_UPSTREAM"] = "http://herald-sharing-links:8080"
        await self.cluster.apply([servers.front(image("hub"), self.url, upstreams, ",".join(self.trusted))])
        await self._rolled_out("front")
        self.values = self._values(storage_class)

    async def _static_volumes(self) -> str:
        folder = f"/var/tmp/{self.cluster.namespace}"  # noqa: S108 - on the node, removed at the end
        pod = servers.folders(image("program"), folder, 8)
        await self.cluster.apply([pod])
        await self.cluster.kubectl(
            "wait", "pod/make-folders", "--for=jsonpath={.status.phase}=Succeeded", "--timeout=120s", within=130
        )
        node = (await self.cluster.one("pod", "make-folders"))["spec"]["nodeName"]
        await self.cluster.apply(servers.volumes(node, folder, 8))
        return servers.STORAGE_CLASS

    async def _rolled_out(self, *names: str) -> None:
        for name in names:
            await self.cluster.kubectl("rollout", "status", f"statefulset/{name}", "--timeout=300s", within=310)

    async def _replica_set(self) -> None:
        script = 'rs.initiate({_id: "herald", members: [{_id: 0, host: "mongo:27017"}]})'

        async def primary() -> bool:
            try:
                await self.cluster.kubectl("exec", "mongo-0", "--", "mongosh", "--quiet", "--eval", script)
            except Failed:
                return False
            return True

        await until(primary, "MongoDB is primary", 90)
        code = (
            "from pymongo import MongoClient; c = MongoClient('127.0.0.1', directConnection=True); "
            f"c.admin.command('createUser', '{servers.ROOT}', pwd='{servers.ROOT_PASSWORD}', roles=['root'])"
        )
        await self.cluster.kubectl("exec", "mongo-0", "--", "python3", "-c", code)

    def _mongo_url(self, user: str, password: str) -> str:
        return f"mongodb://{user}:{password}@mongo:27017/?replicaSet=herald&authSource=admin"

    async def mongo_user(self, name: str, password: str) -> str:
        """Make one, as Herald's: its address of MongoDB."""
        client: AsyncMongoClient[dict[str, Any]] = AsyncMongoClient(self.mongo_direct)
        try:
            await client.admin.command("createUser", name, pwd=password, roles=["readWriteAnyDatabase"])
        finally:
            await client.close()
        return self._mongo_url(name, password)

    async def drop_mongo_user(self, name: str) -> None:
        client: AsyncMongoClient[dict[str, Any]] = AsyncMongoClient(self.mongo_direct)
        try:
            await client.admin.command("dropUser", name)
        finally:
            await client.close()

    # --- Herald --------------------------------------------------------------------------------------------------

    def _values(self, storage_class: str) -> dict[str, Any]:
        servers_ = ("front", "kafka", "mongo", "valkey")
        apps = {name: [{"podSelector": {"matchLabels": {"app": name}}}] for name in servers_}
        chart = yaml.safe_load((CHART / "values.yaml").read_text())
        services: dict[str, Any] = {
            name: {"roles": {role: {"replicas": REPLICAS, "resources": FEW} for role in row["roles"]}}
            for name, row in chart["services"].items()
        }
        services["sharing"]["roles"]["links"]["spool"] = {"size": "1Gi", "storageClass": storage_class}
        services["hub"]["settings"] = {"HERALD_RATE_SIGN_INS": "600/minute"}
        return {
            "publicUrl": self.url,
            "trustedProxies": self.trusted,
            "admins": ["ines@herald.example"],
            "image": {"registry": REGISTRY, "tag": TAG},
            "oidc": {"issuer": f"{self.url}/issuer"},
            "kafka": {
                "bootstrap": f"{self.kafka.partition(':')[0]}:9094",
                "securityProtocol": "SASL_PLAINTEXT",
                "saslMechanism": "PLAIN",
                "username": "herald",
            },
            "secrets": {"existingSecret": "herald"},
            "otlp": {"traceRatio": 0.01},
            "recruiting": {"enabled": True},
            "smtp": {
                "host": self.machine,
                "port": self.mails_port or 2525,
                "security": "none",
                "from": "herald@herald.example",
                "rate": "200/second",
                "rest": False,  # what is tried here is tried at night, too
            },
            "networkPolicy": {
                "frontFrom": apps["front"],
                "egress": {
                    "kafka": {"to": apps["kafka"], "ports": [9094]},
                    "mongodb": {"to": apps["mongo"]},
                    "redis": {"to": apps["valkey"], "ports": [6379]},
                    "issuer": {"to": apps["front"], "ports": [8080]},
                    "front": {"to": apps["front"], "ports": [8080]},
                    "smtp": {"to": [{"ipBlock": {"cidr": f"{self.machine}/32"}}], "ports": [self.mails_port or 2525]},
                },
            },
            "services": services,
        }

    async def install(self, **over: Any) -> None:
        """`helm upgrade --install`, to ready. Raises Failed with what the chart's jobs said."""
        self.values = merged(self.values, over)
        file = self.home.folder / "values.json"
        file.write_text(json.dumps(self.values))
        await self.cluster.helm(
            "upgrade", "--install", "herald", str(CHART), "--values", str(file), "--wait",
            "--timeout", f"{READY_SECONDS:.0f}s", within=READY_SECONDS + 60,
        )  # fmt: skip
        # Helm waits until all but `maxUnavailable` pods of a role are ready.
        await self.settled()

    async def roll_back(self) -> None:
        """`helm rollback` to the revision before, to ready."""
        await self.cluster.helm("rollback", "herald", "--wait", "--timeout", f"{READY_SECONDS:.0f}s")
        await self.settled()

    async def recover(self, mode: str) -> dict[str, str]:
        """By a job of each owner, as the chart makes them: what each said. Raises Failed."""
        file = self.home.folder / "values.json"
        made = await self.cluster.helm(
            "template", "herald", str(CHART), "--values", str(file),
            "--set", f"jobs.recover={mode}", "--show-only", "templates/recover.yaml",
        )  # fmt: skip
        await self.cluster.kubectl("replace", "--force", "--filename", "-", given=made, within=120)
        names = {owner: f"job/herald-recover-{owner}" for owner in OWNERS}
        await self.cluster.kubectl("wait", *names.values(), "--for=condition=Complete", "--timeout=180s", within=190)
        return {owner: await self.cluster.kubectl("logs", name) for owner, name in names.items()}

    async def make_topics(self, tag: str) -> None:
        """Those of this release, by its own command."""
        arguments = ("topics", "apply", "--bootstrap", self.kafka)
        await self.cluster.kubectl(
            "run", "topics", f"--image={image('program', tag)}", "--image-pull-policy=IfNotPresent",
            "--restart=Never", "--", *arguments,
        )  # fmt: skip
        done = "--for=jsonpath={.status.phase}=Succeeded"
        await self.cluster.kubectl("wait", "pod/topics", done, "--timeout=120s", within=130)
        await self.cluster.kubectl("delete", "pod", "topics", "--now")

    async def keep_secret(self, **changed: str) -> None:
        """Change keys of Herald's Secret; `_` in a name stands for `-`."""
        self.secret |= {name.replace("_", "-"): value for name, value in changed.items()}
        await self.cluster.apply([_secret("herald", self.secret)])

    async def workloads(self) -> list[Manifest]:
        return await self.cluster.get("deployments,statefulsets", SELECTOR)

    async def pods(self, component: str = "") -> list[Manifest]:
        """Those of Herald's roles, and not of its jobs and tests."""
        found = await self.cluster.get("pods", f"{SELECTOR},{COMPONENT}={component}" if component else SELECTOR)
        owners = [(pod, pod["metadata"].get("ownerReferences", [{}])[0].get("kind")) for pod in found]
        return [pod for pod, owner in owners if owner in ("ReplicaSet", "StatefulSet")]

    async def unready(self) -> list[str]:
        """Roles that are not as they should be, and why."""
        found = []
        for one in await self.workloads():
            spec, status = one["spec"], one["status"]
            wanted = spec.get("replicas", 1)
            there = (status.get("readyReplicas", 0), status.get("updatedReplicas", 0), status.get("replicas", 0))
            if status.get("observedGeneration") != one["metadata"]["generation"] or set(there) != {wanted}:
                found.append(f"{one['metadata']['name']}: {there[0]} of {wanted} are ready")
        gone = [pod["metadata"]["name"] for pod in await self.pods() if "deletionTimestamp" in pod["metadata"]]
        return found + [f"{name} ends" for name in gone]

    async def settled(self, within: float = READY_SECONDS) -> float:
        """After how many seconds each role has its pods, ready and of the newest kind. Raises TimeoutError."""
        left: list[str] = []

        async def ready() -> bool:
            left[:] = await self.unready()
            return not left

        try:
            return await until(ready, "all pods are ready", within)
        except TimeoutError:
            raise TimeoutError(f"not ready after {within:.0f} s: {', '.join(left)}") from None

    async def restarts(self) -> dict[str, int]:
        """How often the container of each pod was restarted, where it was."""
        found = {}
        for pod in await self.pods():
            number = sum(one["restartCount"] for one in pod["status"].get("containerStatuses", ()))
            if number:
                found[pod["metadata"]["name"]] = number
        return found

    async def spools(self) -> dict[str, int]:
        """Bytes of clicks in the spool of each pod of links. Raises httpx.HTTPError."""
        return await self._of_links(SPOOL)

    async def clicks_spooled(self) -> dict[str, int]:
        """Clicks that each process of links put into its spool, since it began. Raises httpx.HTTPError."""
        return await self._of_links(CLICKS_SPOOLED)

    async def _of_links(self, samples: str) -> dict[str, int]:
        found = {}
        async with httpx.AsyncClient(trust_env=False, timeout=5) as client:
            for pod in await self.pods("sharing-links"):
                if address := pod["status"].get("podIP"):
                    said = (await client.get(f"http://{address}:8080/metrics")).text
                    values = [float(line.split()[-1]) for line in said.splitlines() if line.startswith(samples)]
                    found[pod["metadata"]["name"]] = int(sum(values))
        return found

    @asynccontextmanager
    async def mailbox(self) -> AsyncIterator[None]:
        """A mail server on this machine, where pods reach it, that keeps mails in the folder of the home."""
        box = Mailbox(self.home.mails)
        loop = asyncio.get_running_loop()
        listening = await loop.create_server(
            lambda: SMTP(box, hostname="localhost", loop=loop), self.machine, self.mails_port
        )
        try:
            yield
        finally:
            listening.close()


@asynccontextmanager
async def installed(folder: Path, namespace: str) -> AsyncIterator[Installation]:
    """Servers that are ready, nothing of Herald yet; all gone afterwards."""
    cluster = Cluster(namespace)
    await cluster.kubectl("create", "namespace", namespace)
    made = Installation(cluster, Home(folder), mails_port=_free_port())
    try:
        await made.bring()
        yield made
    except BaseException:
        await cluster.explain(folder / "explained")
        raise
    finally:
        await _remove(cluster)


async def _remove(cluster: Cluster) -> None:
    """The namespace with all that is in it, then its volumes with their folders."""
    await cluster.kubectl("delete", "namespace", cluster.namespace, "--timeout=240s", within=250)
    name = cluster.namespace
    if not json.loads(await cluster.kubectl("get", "pv", "--selector", f"for={name}", "--output", "json"))["items"]:
        return
    await cluster.kubectl("delete", "pv", "--selector", f"for={name}", "--timeout=60s", within=70)
    default = Cluster("default")
    await default.apply([servers.folders(image("program"), f"/var/tmp/{name}", 0, remove=True)])  # noqa: S108
    await default.kubectl(
        "wait", "pod/remove-folders", "--for=jsonpath={.status.phase}=Succeeded", "--timeout=60s", within=70
    )
    await default.kubectl("delete", "pod", "remove-folders", "--now")


def merged(base: Any, more: Any) -> Any:
    """Values laid over others, as Helm does it."""
    if isinstance(base, dict) and isinstance(more, dict):
        return {key: merged(base.get(key), more[key]) if key in more else base[key] for key in base | more}
    return more


def _secret(name: str, given: dict[str, str]) -> Manifest:
    data = {key: base64.b64encode(value.encode()).decode() for key, value in given.items()}
    return {"apiVersion": "v1", "kind": "Secret", "metadata": {"name": name}, "data": data}


def _source_address(target: str) -> str:
    """This machine's address, as whoever is there sees it."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as found:
        found.connect((target, 9))
        return str(found.getsockname()[0])


def _free_port() -> int:
    with socket.socket() as found:
        found.bind(("", 0))
        return int(found.getsockname()[1])


def _network(address: str) -> str:
    return f"{'.'.join(address.split('.')[:2])}.0.0/16"
