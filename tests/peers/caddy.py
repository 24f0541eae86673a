"""A real Caddy, built from its Go module once into the user's cache, with the Caddyfile of deploy/docker."""

from __future__ import annotations

import asyncio
import fcntl
import os
import re
import shutil
import subprocess
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from pathlib import Path

import httpx

from herald.local.downloads import cache_folder
from herald.local.errors import LocalError

VERSION = "v2.10.2"
MODULE = "github.com/caddyserver/caddy/v2"
SUM = "h1:g/gTYjGMD0dec+UgMw8SnfmJ3I9+M2TdvoRL/Ovu6U8="
CADDYFILE = Path(__file__).parents[2] / "deploy/docker/Caddyfile"
READY_SECONDS = 20.0
BODY_SECONDS, SHORTER_BODY_SECONDS = "read_timeout 130s", "read_timeout 12s"
"""What is shorter here than in a deployment, so that tests need not wait."""
_UPSTREAM = re.compile(r"reverse_proxy (\S+):8080")


def provide() -> Path:
    """The program. Raises LocalError."""
    folder = cache_folder("caddy")
    wanted = folder / f"caddy-{VERSION}"
    with (folder / ".lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not wanted.exists():
            go = shutil.which("go")
            if go is None:
                raise LocalError("Caddy is built from its module: put Go 1.25 or later on PATH.")
            environment = {**os.environ, "GOBIN": str(folder), "GOFLAGS": "-buildvcs=false"}
            try:
                _run(environment, go, "install", f"{MODULE}/cmd/caddy@{VERSION}")
                if f"{MODULE}\t{VERSION}\t{SUM}" not in _run(environment, go, "version", "-m", str(folder / "caddy")):
                    raise LocalError(f"Caddy {VERSION} is not what the test names.")
            except subprocess.CalledProcessError as error:
                raise LocalError(f"Caddy {VERSION} could not be built ({error.stderr.strip()[-300:]}).") from None
            (folder / "caddy").rename(wanted)
    return wanted


def _run(environment: Mapping[str, str], *command: str) -> str:
    return subprocess.run(command, env=environment, check=True, capture_output=True, text=True).stdout


def caddyfile(upstreams: Mapping[str, int], *, source: str) -> str:
    """The Caddyfile with containers replaced by ports of this machine, which it asks from the address `source`."""

    def upstream(found: re.Match[str]) -> str:
        transport = f"transport http {{\nlocal_address {source}\n}}"
        return f"reverse_proxy 127.0.0.1:{upstreams[found[1]]} {{\n{transport}\n}}"

    text = _UPSTREAM.sub(upstream, CADDYFILE.read_text("utf-8"))
    text = text.replace("admin off", "admin off\n\tdefault_bind 127.0.0.1", 1)
    return text.replace(BODY_SECONDS, SHORTER_BODY_SECONDS, 1)


@asynccontextmanager
async def running(folder: Path, port: int, upstreams: Mapping[str, int], *, proxy: str, own: str) -> AsyncIterator[str]:
    """Caddy at the address given, behind `proxy`, with `own` as its address for the services; ends it."""
    file = folder / f"Caddyfile-{port}"
    file.write_text(caddyfile(upstreams, source=own), "utf-8")
    environment = {
        **os.environ,
        "HERALD_SITE": f":{port}",
        "HERALD_FRONT_PROXY": proxy,
        "XDG_DATA_HOME": str(folder / "data"),
        "XDG_CONFIG_HOME": str(folder / "config"),
    }
    with (folder / f"caddy-{port}.log").open("wb") as log:
        child = await asyncio.create_subprocess_exec(
            str(await asyncio.to_thread(provide)),
            *("run", "--config", str(file), "--adapter", "caddyfile"),
            env=environment,
            stdout=log,
            stderr=log,
        )
    try:
        async with asyncio.timeout(READY_SECONDS), httpx.AsyncClient(trust_env=False) as client:
            while True:
                if child.returncode is not None:
                    raise AssertionError(f"Caddy ended:\n{(folder / f'caddy-{port}.log').read_text()[-3000:]}")
                try:
                    await client.get(f"http://127.0.0.1:{port}/health")
                    break
                except httpx.HTTPError:
                    await asyncio.sleep(0.1)
        yield f"http://127.0.0.1:{port}"
    finally:
        if child.returncode is None:
            child.terminate()
        await child.wait()
