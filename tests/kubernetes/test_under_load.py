"""What a cluster does to pods, under load: nothing is lost, and every promise is checked after each."""

from __future__ import annotations

import asyncio
import json
import time
from collections import Counter
from collections.abc import Awaitable, Callable

import pytest
from pymongo import AsyncMongoClient

from herald.demo.browser import Browser
from herald.operations.secrets import made
from tests.fault.evidence import Document
from tests.kubernetes import servers
from tests.kubernetes.cluster import Failed, Manifest, until
from tests.kubernetes.crowd import Crowd
from tests.kubernetes.installed import COMPONENT, REPLICAS, SELECTOR, Installation

pytestmark = pytest.mark.asyncio(loop_scope="session")
AWAY_SECONDS = 120.0
UNREADY_SECONDS = 60.0
KAFKA_AWAY_SECONDS = 20.0
DRAINED_SECONDS = 300.0
BACKLOG = 20_000


async def replace_all(herald: Installation) -> float:
    """Every pod, by a rolling update; for how many seconds it took."""
    began = time.monotonic()
    await herald.cluster.kubectl("rollout", "restart", "deployments,statefulsets", "--selector", SELECTOR)
    await herald.settled()
    return time.monotonic() - began


async def test_helm_test_shares_and_sees_the_figure(crowd: Crowd) -> None:
    """With a token instead of a password, as the development issuer has none to ask for."""
    herald = crowd.herald
    await herald.keep_secret(smoke_token=await crowd.workload.world.client.token("p0@fault.example"))
    entry = {"smokePassword": {"variable": "HERALD_SMOKE_TOKEN", "key": "smoke-token", "existingSecret": ""}}
    await herald.install(smoke={"username": "p0@fault.example", "network": "x"}, secrets={"entries": entry})
    said = await herald.cluster.helm("test", "herald", "--logs", "--timeout", "180s")
    assert "it is withdrawn, and the figures are as before" in said


async def test_everything_is_updated(crowd: Crowd) -> None:
    async with crowd.acting("rolling update of everything") as watch:
        watch.all_answered = True
        seconds = await replace_all(crowd.herald)
        watch.figure(f"{len(await crowd.herald.pods())} pods replaced in {seconds:.0f} s")


class Eviction:
    """Evicts the pods of each role at once, as often as it takes, while it counts which of them are ready."""

    def __init__(self, herald: Installation) -> None:
        self._herald = herald
        self.refused: Counter[str] = Counter()
        self.fewest: dict[str, int] = {}

    async def of_all(self) -> int:
        """Role after role; how many pods."""
        roles: dict[str, list[str]] = {}
        for pod in await self._herald.pods():
            roles.setdefault(pod["metadata"]["labels"][COMPONENT], []).append(pod["metadata"]["name"])
        counting = asyncio.ensure_future(self._count())
        try:
            for role, pods in roles.items():
                await asyncio.gather(*(self._evict(pod, role) for pod in pods))
                await self._herald.settled()
        finally:
            counting.cancel()
            await asyncio.wait([counting])
        return sum(map(len, roles.values()))

    async def _evict(self, pod: str, role: str) -> None:
        async def gone() -> bool:
            if await self._herald.cluster.evict(pod):
                return True
            self.refused[role] += 1
            return False

        await until(gone, f"{pod} may be evicted", 240, every=2)

    async def _count(self) -> None:
        while True:
            ready: Counter[str] = Counter()
            for pod in await self._herald.pods():
                ready[pod["metadata"]["labels"][COMPONENT]] += is_ready(pod)
            for role, number in ready.items():
                self.fewest[role] = min(self.fewest.get(role, number), number)
            await asyncio.sleep(1)


def is_ready(pod: Manifest) -> bool:
    return any(one["type"] == "Ready" and one["status"] == "True" for one in pod["status"].get("conditions", ()))


async def test_each_pod_is_evicted_within_its_budget(crowd: Crowd) -> None:
    async with crowd.acting("each pod evicted by the Eviction API") as watch:
        watch.all_answered = True
        eviction = Eviction(crowd.herald)
        pods = await eviction.of_all()
        refused, fewest = eviction.refused, eviction.fewest
        watch.figure(
            f"{pods} pods, {sum(refused.values())} evictions refused by budgets, at least {min(fewest.values())} of "
            f"{REPLICAS} ready in each role"
        )
        watch.holds("each budget refused once", REPLICAS == 1 or len(refused) == len(fewest), dict(refused))
        watch.holds("each role was one pod short at most", min(fewest.values()) >= REPLICAS - 1, fewest)


async def test_each_pod_is_deleted_in_turn(crowd: Crowd) -> None:
    herald = crowd.herald
    async with crowd.acting("each pod deleted in turn") as watch:
        watch.all_answered = True
        pods = [one["metadata"]["name"] for one in await herald.pods()]
        for name in pods:
            await herald.cluster.kubectl("delete", "pod", name, "--wait=false")
            await asyncio.sleep(1)
            await herald.settled()
        watch.figure(f"{len(pods)} pods")


async def browser_of(herald: Installation) -> Browser:
    """Somebody who is signed in at the hub."""
    browser = Browser(herald.url, "Mozilla/5.0 (X11; Linux x86_64; rv:145.0) Gecko/20100101 Firefox/145.0")
    await browser.sign_in("ines@herald.example")
    return browser


async def still_signed_in(browser: Browser) -> bool:
    return "/auth/sign-out" in await browser.read("/me")


async def test_secrets_are_rotated(crowd: Crowd) -> None:
    """The new user first, then the switch, then the old one goes; of the session key, both until all sessions are of
    the new one."""
    herald = crowd.herald
    old, new = herald.secret["session-key"], made()
    async with crowd.acting("secrets rotated: session key, visitor key, Kafka's and MongoDB's passwords") as watch:
        watch.all_answered = watch.all_redirected = True
        browser = await browser_of(herald)
        try:
            await herald.keep_secret(session_key=f"{old},{new}")
            await replace_all(herald)
            watch.holds("signed in with both keys", await still_signed_in(browser))
            mongo_url = await herald.mongo_user("herald-2", "second-of-mongo")
            await herald.keep_secret(
                **{"session_key": f"{new},{old}", "visitor_key": made(), "mongo-url-2": mongo_url},
                **{"kafka-password-2": servers.USERS["herald-2"]},
            )
            entries = {
                "mongoUrl": {"variable": "HERALD_MONGO_URL", "key": "mongo-url-2", "existingSecret": ""},
                "kafkaPassword": {"variable": "HERALD_KAFKA_PASSWORD", "key": "kafka-password-2", "existingSecret": ""},
            }
            await herald.install(kafka={"username": "herald-2"}, secrets={"entries": entries})
            await herald.settled()
            watch.holds("signed in after the switch", await still_signed_in(browser))
            await herald.drop_mongo_user("herald")
        finally:
            await browser.close()
        watch.figure("two rolling updates, the old MongoDB user dropped, a session outlived both")


async def test_workers_follow_a_backlog(crowd: Crowd) -> None:
    """KEDA takes them from one to four and back, by the lag of what they consume."""
    herald = crowd.herald
    try:
        await herald.cluster.kubectl("get", "crd", "scaledobjects.keda.sh")
    except Failed:
        pytest.skip("no KEDA here")
    name = "herald-metrics-worker"

    async def pods() -> int:
        return len(await herald.pods("metrics-worker"))

    scaling = {"autoscaling": {"min": 1, "max": 4, "lag": 500}}
    await herald.install(autoscaling={"lag": True}, services={"metrics": {"roles": {"worker": scaling}}})
    # The chart waits five minutes before it takes a pod away, and a minute for each: too long to look at.
    soon = {"stabilizationWindowSeconds": 15, "policies": [{"type": "Pods", "value": 4, "periodSeconds": 15}]}
    behavior = {"horizontalPodAutoscalerConfig": {"behavior": {"scaleDown": soon}}}
    patch = json.dumps({"spec": {"pollingInterval": 5, "cooldownPeriod": 15, "advanced": behavior}})
    await herald.cluster.kubectl("patch", "scaledobject", name, "--type=merge", "--patch", patch)
    async with crowd.acting("workers scaled from one to four and back by KEDA") as watch:
        await until(_equal(pods, 1), "one worker without a backlog", 300)
        paused = ("autoscaling.keda.sh/paused-replicas=0", "autoscaling.keda.sh/paused-replicas-")
        await herald.cluster.kubectl("annotate", "scaledobject", name, paused[0])
        await until(_equal(pods, 0), "none, so that a backlog comes", 120)
        await crowd.backlog(BACKLOG)
        await herald.cluster.kubectl("annotate", "scaledobject", name, paused[1])
        up = await until(_equal(pods, 4), "four workers", 180)
        await herald.settled()
        down = await until(_equal(pods, 1), "one worker again", 420)
        await herald.settled()
        watch.figure(f"{BACKLOG} records; four workers after {up:.0f} s, one again {down:.0f} s later")
    await herald.install(autoscaling={"lag": False})


def _equal(number: Callable[[], Awaitable[int]], wanted: int) -> Callable[[], Awaitable[bool]]:
    async def equal() -> bool:
        return await number() == wanted

    return equal


async def test_links_are_scaled_down_with_a_full_spool(crowd: Crowd) -> None:
    """Clicks that Kafka did not take lie on the volume of a pod that is gone: they are counted all the same."""
    herald = crowd.herald
    links, kafka = "statefulset/herald-sharing-links", "statefulset/kafka"
    async with crowd.acting("links scaled down with a full spool") as watch:
        watch.all_redirected = True
        await herald.cluster.kubectl("scale", kafka, "--replicas=0")

        async def both_hold_clicks() -> bool:
            spools = await herald.spools()
            return len(spools) == REPLICAS and all(spools.values())

        await until(both_hold_clicks, "both pods have clicks on disk", 120)
        await asyncio.sleep(KAFKA_AWAY_SECONDS)
        left = (await herald.spools())[f"herald-sharing-links-{REPLICAS - 1}"]
        await herald.cluster.kubectl("scale", links, f"--replicas={REPLICAS - 1}")

        async def pods() -> int:
            return len(await herald.pods("sharing-links"))

        await until(_equal(pods, REPLICAS - 1), "one pod is gone", 120)
        await herald.cluster.kubectl("scale", kafka, "--replicas=1")
        await herald.cluster.kubectl("rollout", "status", kafka, "--timeout=120s", within=130)
        await crowd.workload.stop()
        sent = await until(_equal(crowd.untold, 0), "what the pod left behind is sent", DRAINED_SECONDS, every=5)
        await herald.cluster.kubectl("scale", links, f"--replicas={REPLICAS}")
        await herald.settled()
        watch.figure(
            f"{left} bytes of clicks on the volume of a pod that is gone, sent {sent:.0f} s after Kafka was back"
        )


async def test_what_a_restore_lacks_is_taken_back_by_the_jobs_of_the_chart(crowd: Crowd) -> None:
    """The steps of `docs/operations/continuity.md`, after a restore that lacks one post."""
    herald = crowd.herald
    kinds = ("deployment,statefulset", "--selector", SELECTOR)
    await herald.cluster.kubectl("scale", *kinds, "--replicas=0")
    await until(_no_pods_of(herald), "all pods are gone", 120)
    client: AsyncMongoClient[Document] = AsyncMongoClient(herald.mongo_direct)
    try:
        posts = client["herald_sharing"]["posts"]
        lost = await posts.find_one_and_delete({"removed_at": None, "version": 1}, sort=[("_id", -1)])
        assert lost is not None
        said = await herald.recover("look")
        assert "Nothing was changed" in said["sharing"]
        assert await posts.find_one({"_id": lost["_id"]}) is None
        said = await herald.recover("go")
        assert [name for name, text in said.items() if "nothing is lacking" not in text] == ["sharing"]
        back = await posts.find_one({"_id": lost["_id"]})
        assert back is not None
        assert (back["link_code"], back["ambassador_id"]) == (lost["link_code"], lost["ambassador_id"])
    finally:
        await client.close()
    await herald.install()
    async with crowd.acting("stopped, recovered by the chart's jobs, and started again"):
        await herald.settled()


def _no_pods_of(herald: Installation) -> Callable[[], Awaitable[bool]]:
    async def gone() -> bool:
        return not await herald.pods()

    return gone


async def test_mongodb_is_away_for_two_minutes(crowd: Crowd) -> None:
    """Links stay ready: they redirect where they know the target, and keep the clicks."""
    herald = crowd.herald

    async def others() -> list[Manifest]:
        return [pod for pod in await herald.pods() if pod["metadata"]["labels"][COMPONENT] != "sharing-links"]

    async with crowd.acting("MongoDB away for two minutes") as watch:
        pods = len(await others())
        await herald.cluster.kubectl("scale", "statefulset/mongo", "--replicas=0")
        began = time.monotonic()
        unready: list[str] = []

        async def all_unready() -> bool:
            unready[:] = [pod["metadata"]["name"] for pod in await others() if not is_ready(pod)]
            return len(unready) == pods

        seconds = await until(all_unready, "all pods are unready", UNREADY_SECONDS)
        await asyncio.sleep(max(0.0, AWAY_SECONDS - (time.monotonic() - began)))
        watch.holds("still unready", await all_unready(), f"{len(unready)} of {pods}")
        watch.holds("links are ready", all(map(is_ready, await herald.pods("sharing-links"))))
        watch.holds("none restarted", not await herald.restarts(), await herald.restarts())
        await herald.cluster.kubectl("scale", "statefulset/mongo", "--replicas=1")
        await herald.cluster.kubectl("rollout", "status", "statefulset/mongo", "--timeout=60s", within=70)
        back = time.monotonic()
        await herald.settled(within=60)
        watch.figure(
            f"{pods} pods unready after {seconds:.0f} s, none restarted, ready {time.monotonic() - back:.0f} s after "
            "MongoDB was"
        )
