"""A process of Herald itself, run like the servers below it."""

import os
from pathlib import Path

import httpx

from herald.local.child import Child
from herald.local.downloads import Progress, no_progress
from herald.local.plan import ProcessSpec
from herald.local.server import Server

LIVE_TIMEOUT = 10.0


class HeraldProcess(Server):
    """What a `ProcessSpec` describes."""

    patience = 120.0

    def __init__(self, spec: ProcessSpec, logs: Path) -> None:
        self.name = spec.name
        self.grace = spec.grace
        super().__init__(logs)
        self.spec = spec

    @property
    def port(self) -> int:
        return self.spec.port

    def provide(self, progress: Progress = no_progress) -> None:
        """Nothing to find: it runs with this Python."""

    async def launch(self) -> Child:
        return Child(self.name, self.spec.argv, self.log, env={**os.environ, **self.spec.env})

    async def probe(self) -> bool:
        return await _answers(self.spec.address, within=2)

    async def alive(self) -> bool:
        return await _answers(self.spec.live_url, within=LIVE_TIMEOUT)


async def _answers(address: str, within: float) -> bool:
    try:
        async with httpx.AsyncClient(timeout=within, trust_env=False) as client:
            return (await client.get(address)).status_code == httpx.codes.OK
    except httpx.HTTPError:
        return False
