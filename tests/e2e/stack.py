"""All of Herald for the browser: its processes on the run's servers, in a namespace of its own, and a small company
whose first day has been lived, so that every page has something to show."""

from __future__ import annotations

import asyncio
import os
import secrets
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from pathlib import Path

import httpx
from aiokafka import AIOKafkaProducer
from pymongo import AsyncMongoClient

from herald.demo import SAMPLE
from herald.demo.api import Api
from herald.demo.stage import Scale
from herald.demo.story import Story
from herald.development.mailbox import Mailbox, listen
from herald.local import credentials, plan
from herald.local.home import Home
from herald.local.plan import Addresses, ProcessSpec
from herald.local.ports import free_ports
from herald.operations import topics
from herald_contracts import Record
from tests.infra import Infra

MANAGER = "marc@herald.example"
READY_SECONDS = 90.0
STOP_SECONDS = 25.0
OURS = {"HERALD_LIVE_HEARTBEAT": "1"}
"""What is shorter here than in an installation, so that tests need not wait."""


@dataclass(frozen=True)
class Stack:
    """The one address, the processes behind it, and the APIs with a token of anybody."""

    url: str
    program_id: str
    api: Api
    infra: Infra
    namespace: str
    home: Home
    processes: tuple[str, ...]

    @property
    def spans(self) -> Path:
        return self.home.spans

    async def shares(self) -> int:
        """How many posts of its programme stand, whatever the figures already know."""
        return await self.count("sharing", "posts", {"program_id": self.program_id, "removed_at": None})

    async def count(self, service: str, collection: str, wanted: Mapping[str, object]) -> int:
        """How many documents a service has that are wanted."""
        async with AsyncMongoClient[dict[str, object]](self.infra.mongo_url) as client:
            return await client[f"{self.namespace}_herald_{service}"][collection].count_documents(wanted)

    async def ids(self, service: str, collection: str, wanted: Mapping[str, object]) -> list[str]:
        """The ids of the documents that a service has and that are wanted."""
        async with AsyncMongoClient[dict[str, object]](self.infra.mongo_url) as client:
            rows = client[f"{self.namespace}_herald_{service}"][collection].find(wanted, {"_id": 1})
            return [str(row["_id"]) async for row in rows]

    async def publish(self, record: Record) -> None:
        """Put a record on Kafka, whatever it holds."""
        async with AIOKafkaProducer(bootstrap_servers=self.infra.kafka_bootstrap) as producer:
            topic = f"{self.namespace}.{record.topic}"
            await producer.send_and_wait(topic, record.value, key=record.key, headers=record.headers)


@asynccontextmanager
async def running(infra: Infra, folder: Path) -> AsyncIterator[Stack]:
    """Every role of every service, whose first day has been lived; ends all of them."""
    async with started(infra, folder) as stack:
        yield replace(stack, program_id=await _first_day(stack.api))


@asynccontextmanager
async def started(infra: Infra, folder: Path) -> AsyncIterator[Stack]:
    """Every role of every service, and nobody there yet; ends all of them."""
    home = Home(folder)
    home.prepare()
    namespace = f"e{secrets.token_hex(3)}"
    await topics.apply_topics(infra.kafka_bootstrap, namespace)
    ports = free_ports(list(plan.names(split=False)), folder / "ports.json")
    url = f"http://127.0.0.1:{ports['apis']}"
    mails = await listen(Mailbox(home.mails), 0)
    mailbox: int = mails.sockets[0].getsockname()[1]
    addresses = Addresses(infra.kafka_bootstrap, infra.mongo_url, infra.redis_url, url, mailbox=mailbox)
    specs = plan.processes(home, addresses, credentials.environment(home), ports, split=False)
    async with run_processes(specs, namespace, home):
        api = Api(url, home, at_once=6)
        try:
            own = tuple(f"http://127.0.0.1:{spec.port}" for spec in specs)
            yield Stack(url, "", api, infra, namespace, home, own)
        finally:
            await api.close()
            mails.close()


@asynccontextmanager
async def run_processes(
    specs: Sequence[ProcessSpec], namespace: str, home: Home, **variables: str
) -> AsyncIterator[None]:
    """These processes, ready; `variables` go before their own. Ends them."""
    children = [await _start(spec, namespace, home, variables) for spec in specs]
    try:
        async with asyncio.timeout(READY_SECONDS):
            await asyncio.gather(*(_ready(spec) for spec in specs))
        yield
    finally:
        await asyncio.gather(*(_stop(child) for child in children))


async def _start(
    spec: ProcessSpec, namespace: str, home: Home, variables: Mapping[str, str]
) -> asyncio.subprocess.Process:
    with (home.logs / f"{spec.name}.log").open("wb") as log:
        return await asyncio.create_subprocess_exec(
            *spec.argv,
            env={**os.environ, **spec.env, **OURS, **variables, "HERALD_NAMESPACE": namespace},
            stdin=asyncio.subprocess.DEVNULL,
            stdout=log,
            stderr=log,
        )


async def _ready(spec: ProcessSpec) -> None:
    async with httpx.AsyncClient(trust_env=False) as client:
        while True:
            try:
                if (await client.get(spec.address)).status_code == 200:
                    return
            except httpx.HTTPError:
                pass
            await asyncio.sleep(0.2)


async def _stop(child: asyncio.subprocess.Process) -> None:
    if child.returncode is None:
        child.terminate()
    try:
        await asyncio.wait_for(child.wait(), STOP_SECONDS)
    except TimeoutError:
        child.kill()
        await child.wait()


async def _first_day(api: Api) -> str:
    """People, a programme, content, shares and clicks; the programme's id."""
    sample = SAMPLE.read_bytes()
    story = Story(api, Scale(people=24, ambassadors=9, visits_per_post=1, seed=3), sample, lambda *_: None)
    for act in (story.people, story.programme, story.invitations, story.content, story.shares, story.clicks):
        await act()
    await api.post(MANAGER, f"/program/v1/programs/{story.tally.program_id}/starter-lessons")
    await _counted(api, story)
    return story.tally.program_id


async def _counted(api: Api, story: Story) -> None:
    """Until the figures know every click, so that what moves afterwards was moved by a test."""
    path = f"/metrics/v1/programs/{story.tally.program_id}/figures"
    clicks = sum(story.tally.clicks.values())
    async with asyncio.timeout(60):
        while (await api.get(MANAGER, path))["figures"]["clicks_raw"]["value"] < clicks:
            await asyncio.sleep(0.2)
