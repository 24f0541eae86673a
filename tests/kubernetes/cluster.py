"""The cluster that KUBECONFIG names, through kubectl and Helm, one namespace at a time."""

from __future__ import annotations

import asyncio
import json
import os
import shutil
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, ClassVar

import httpx

from tests.helm import helm

SECONDS = 60.0
SERVES = "Starting to serve on "
APIS = {
    "deployments": "apis/apps/v1",
    "networkpolicies": "apis/networking.k8s.io/v1",
    "pods": "api/v1",
    "statefulsets": "apis/apps/v1",
}
Manifest = dict[str, Any]


class Failed(Exception):
    """A command that did not end well, with what it said."""


def why_not() -> str:
    """Why no cluster may be used; empty where one may."""
    if os.environ.get("HERALD_KUBERNETES") != "1":
        return "'make kubernetes' runs these: nothing is installed into a cluster by chance"
    if not os.environ.get("KUBECONFIG"):
        return "no cluster: set KUBECONFIG"
    return "" if shutil.which("kubectl") else "kubectl is not on PATH"


async def run(*argv: str, given: str = "", within: float = SECONDS) -> str:
    """What the command printed. Raises Failed, TimeoutError."""
    process = await asyncio.create_subprocess_exec(
        *argv, stdin=asyncio.subprocess.PIPE, stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.PIPE
    )
    try:
        async with asyncio.timeout(within):
            out, err = await process.communicate(given.encode())
    finally:
        if process.returncode is None:
            process.kill()
            await process.wait()
    if process.returncode != 0:
        raise Failed(f"{' '.join(argv[:6])}: {err.decode()[-1500:]}{out.decode()[-500:]}")
    return out.decode()


@asynccontextmanager
async def reached() -> AsyncIterator[None]:
    """`kubectl proxy` runs meanwhile, and `Cluster` asks through it. Raises Failed, TimeoutError."""
    process = await asyncio.create_subprocess_exec(
        "kubectl", "proxy", "--port=0", stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.DEVNULL
    )
    assert process.stdout is not None
    try:
        async with asyncio.timeout(SECONDS):
            said = (await process.stdout.readline()).decode()
        if not said.startswith(SERVES):
            raise Failed("kubectl proxy does not serve")
        Cluster.api = f"http://{said.removeprefix(SERVES).strip()}"
        yield
    finally:
        if process.returncode is None:
            process.terminate()
        await process.wait()


async def until(condition: Callable[[], Awaitable[bool]], what: str, within: float, every: float = 1.0) -> float:
    """After how many seconds it came true. Raises TimeoutError."""
    began = time.monotonic()
    while not await condition():
        if time.monotonic() - began > within:
            raise TimeoutError(f"{what}: not within {within:.0f} s")
        await asyncio.sleep(every)
    return time.monotonic() - began


@dataclass(frozen=True, slots=True)
class Cluster:
    """One namespace of it."""

    api: ClassVar[str] = ""
    """The address of `kubectl proxy`: what is asked for each second is not worth a process each."""
    namespace: str

    def _client(self) -> httpx.AsyncClient:
        return httpx.AsyncClient(base_url=self.api, trust_env=False, timeout=SECONDS)

    async def kubectl(self, *arguments: str, given: str = "", within: float = SECONDS) -> str:
        return await run("kubectl", "--namespace", self.namespace, *arguments, given=given, within=within)

    async def helm(self, *arguments: str, within: float = 900) -> str:
        return await run(helm(), "--namespace", self.namespace, *arguments, within=within)

    async def get(self, kinds: str, selector: str = "") -> list[Manifest]:
        found: list[Manifest] = []
        async with self._client() as client:
            for kind in kinds.split(","):
                path = f"{APIS[kind]}/namespaces/{self.namespace}/{kind}"
                answer = await client.get(path, params={"labelSelector": selector})
                found += answer.raise_for_status().json()["items"]
        return found

    async def one(self, kind: str, name: str) -> Manifest:
        found: Manifest = json.loads(await self.kubectl("get", kind, name, "--output", "json"))
        return found

    async def apply(self, manifests: Sequence[Manifest]) -> None:
        whole = {"apiVersion": "v1", "kind": "List", "items": list(manifests)}
        await self.kubectl("apply", "--filename", "-", given=json.dumps(whole))

    async def evict(self, pod: str) -> bool:
        """By the Eviction API; False where its budget does not allow it now."""
        said = {"apiVersion": "policy/v1", "kind": "Eviction", "metadata": {"name": pod, "namespace": self.namespace}}
        path = f"api/v1/namespaces/{self.namespace}/pods/{pod}/eviction"
        async with self._client() as client:
            answer = await client.post(path, json=said)
        if answer.status_code == httpx.codes.TOO_MANY_REQUESTS and "disruption budget" in answer.text:
            return False
        answer.raise_for_status()
        return True

    @asynccontextmanager
    async def followed(self, selector: str, file: Path) -> AsyncIterator[None]:
        """What the pods that are there now log meanwhile: of those that end nothing is left to be asked for."""
        chosen = ("--selector", selector, "--all-containers", "--prefix", "--ignore-errors", "--since", "1s")
        argv = ("kubectl", "--namespace", self.namespace, "logs", "--follow", *chosen, "--max-log-requests", "200")
        with file.open("wb") as log:
            process = await asyncio.create_subprocess_exec(*argv, stdout=log, stderr=log)
            try:
                yield
            finally:
                if process.returncode is None:
                    process.terminate()
                await process.wait()

    async def explain(self, folder: Path) -> None:
        """Keep what pods, events and logs say."""
        folder.mkdir(parents=True, exist_ok=True)
        for name, arguments in {
            "pods": ("get", "pods", "--output", "wide"),
            "events": ("get", "events", "--sort-by", ".lastTimestamp"),
            "described": ("describe", "pods"),
        }.items():
            (folder / f"{name}.txt").write_text(await self.kubectl(*arguments))
        for pod in await self.get("pods"):
            name = pod["metadata"]["name"]
            try:
                said = await self.kubectl("logs", name, "--all-containers", "--tail", "2000")
            except Failed as failed:
                said = str(failed)
            (folder / f"{name}.log").write_text(said)
