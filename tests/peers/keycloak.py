"""A real Keycloak from Maven's central repository: fetched once into the user's cache, started with a realm of ours."""

from __future__ import annotations

import asyncio
import fcntl
import hashlib
import os
import secrets
import shutil
import tarfile
import tempfile
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx

from herald.local.downloads import cache_folder, failed, trusting_certificates
from herald.local.jars import MIRROR, maven
from herald.local.java import find_java

VERSION = "26.7.3"
SHA256 = "77657f30b7e90d70f727712ce1c967f430fd6a5e9f458d32d8c6df0635345f47"
READY_SECONDS = 240.0
REALM = "staff"
HUB = "herald-hub"
MACHINE = "crm"
AUDIENCE: dict[str, Any] = {
    "name": "audience of Herald",
    "protocol": "openid-connect",
    "protocolMapper": "oidc-audience-mapper",
    "config": {"included.custom.audience": "herald", "access.token.claim": "true", "id.token.claim": "false"},
}
"""As docs/guides/sign-in.md has it."""


def provide() -> Path:
    """The distribution, unpacked in the user's cache. Raises LocalError."""
    folder = cache_folder("keycloak")
    wanted = folder / f"keycloak-{VERSION}"
    with (folder / ".lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not wanted.exists():
            with tempfile.TemporaryDirectory(dir=folder) as scratch:
                with tarfile.open(_fetch(Path(scratch))) as archive:
                    archive.extractall(scratch, filter="data")
                (Path(scratch) / wanted.name).rename(wanted)
    return wanted


def _fetch(scratch: Path) -> Path:
    try:
        with trusting_certificates():
            component = maven(scratch / "maven").project("org.keycloak", "keycloak-quarkus-dist").at_version(VERSION)
            found = Path(component.artifact(packaging="tar.gz").resolve())
        with found.open("rb") as archive:
            if hashlib.file_digest(archive, "sha256").hexdigest() != SHA256:
                raise RuntimeError("what arrived is not what the test names")
    except (OSError, RuntimeError) as error:
        raise failed(f"Keycloak {VERSION}", error, MIRROR) from None
    return found


@dataclass
class Keycloak:
    """A running Keycloak with the realm `staff`, as its administrator."""

    url: str
    client: httpx.AsyncClient
    hub_secret: str

    @property
    def issuer(self) -> str:
        return f"{self.url}/realms/{REALM}"

    async def admin(self, method: str, path: str, json: Any = None) -> Any:
        """A request to the administration of the realm; the id of what was created, or the answer's JSON."""
        form = {"grant_type": "password", "client_id": "admin-cli", "username": "admin", "password": "admin"}
        tokens = await self.client.post(f"{self.url}/realms/master/protocol/openid-connect/token", data=form)
        bearer = {"Authorization": f"Bearer {tokens.raise_for_status().json()['access_token']}"}
        answer = await self.client.request(method, f"{self.url}/admin/realms{path}", json=json, headers=bearer)
        if answer.is_error:
            raise AssertionError(f"{method} {path}: {answer.status_code} {answer.text[:500]}")
        if "location" in answer.headers:
            return answer.headers["location"].rpartition("/")[2]
        return answer.json() if answer.content else None

    async def add_user(self, name: str, password: str, email: str) -> str:
        """An employee whose address Keycloak has verified; their id."""
        user = {
            "username": name,
            "email": email,
            "emailVerified": True,
            "firstName": name.title(),
            "lastName": "Example",
            "enabled": True,
            "credentials": [{"type": "password", "value": password, "temporary": False}],
        }
        id: str = await self.admin("POST", f"/{REALM}/users", user)
        return id

    async def machine_token(self, *scopes: str) -> str:
        """A token of the machine client."""
        form = {"grant_type": "client_credentials", **({"scope": " ".join(scopes)} if scopes else {})}
        answer = await self.client.post(
            f"{self.issuer}/protocol/openid-connect/token", data=form, auth=(MACHINE, self.hub_secret)
        )
        token: str = answer.raise_for_status().json()["access_token"]
        return token

    async def sessions(self, user: str) -> tuple[int, int]:
        """How many sessions a user has: at the browser, and for refreshing without one."""
        [hub] = await self.admin("GET", f"/{REALM}/clients?clientId={HUB}")
        online = await self.admin("GET", f"/{REALM}/users/{user}/sessions")
        offline = await self.admin("GET", f"/{REALM}/users/{user}/offline-sessions/{hub['id']}")
        return len(online), len(offline)

    async def events(self, kind: str) -> int:
        """How often something happened, such as REFRESH_TOKEN."""
        return len(await self.admin("GET", f"/{REALM}/events?type={kind}&max=1000"))


async def _register(keycloak: Keycloak, herald: str, scopes: list[str], access_seconds: int) -> None:
    """What docs/guides/sign-in.md has an administrator do."""
    events = ["REFRESH_TOKEN", "REFRESH_TOKEN_ERROR"]  # which are not kept by default
    realm = {
        "realm": REALM,
        "enabled": True,
        "accessTokenLifespan": access_seconds,
        "eventsEnabled": True,
        "enabledEventTypes": events,
    }
    await keycloak.admin("POST", "", realm)
    hub = {
        "clientId": HUB,
        "secret": keycloak.hub_secret,
        "publicClient": False,
        "standardFlowEnabled": True,
        "directAccessGrantsEnabled": False,
        "redirectUris": [f"{herald}/auth/callback"],
        "attributes": {"post.logout.redirect.uris": f"{herald}/", "pkce.code.challenge.method": "S256"},
        "protocolMappers": [AUDIENCE],
    }
    await keycloak.admin("POST", f"/{REALM}/clients", hub)
    machine = {
        "clientId": MACHINE,
        "secret": keycloak.hub_secret,
        "publicClient": False,
        "standardFlowEnabled": False,
        "serviceAccountsEnabled": True,
        "protocolMappers": [AUDIENCE],
    }
    client = await keycloak.admin("POST", f"/{REALM}/clients", machine)
    for scope in scopes:
        wanted = {"name": scope, "protocol": "openid-connect", "attributes": {"include.in.token.scope": "true"}}
        id = await keycloak.admin("POST", f"/{REALM}/client-scopes", wanted)
        await keycloak.admin("PUT", f"/{REALM}/clients/{client}/optional-client-scopes/{id}")


@asynccontextmanager
async def running(
    folder: Path, port: int, herald: str, scopes: list[str], *, access_seconds: int
) -> AsyncIterator[Keycloak]:
    """Keycloak on `port`, with its data in `folder`, for a Herald at `herald`; ends it. Raises LocalError."""
    home = folder / "keycloak"
    shutil.copytree(provide(), home, symlinks=True)
    environment = {
        **os.environ,
        "JAVA_HOME": str(Path(find_java()).resolve().parents[1]),
        "JAVA_OPTS_KC_HEAP": "-Xmx512m",
        "KC_BOOTSTRAP_ADMIN_USERNAME": "admin",
        "KC_BOOTSTRAP_ADMIN_PASSWORD": "admin",
    }
    options = ("start-dev", "--db=dev-mem", "--http-host=127.0.0.1", f"--http-port={port}", "--cache=local")
    with (folder / "keycloak.log").open("wb") as log:
        child = await asyncio.create_subprocess_exec(
            str(home / "bin" / "kc.sh"), *options, env=environment, stdout=log, stderr=log, start_new_session=True
        )
    keycloak = Keycloak(
        f"http://127.0.0.1:{port}", httpx.AsyncClient(timeout=30, trust_env=False), secrets.token_hex(16)
    )
    try:
        await _ready(keycloak, child, folder / "keycloak.log")
        await _register(keycloak, herald, scopes, access_seconds)
        yield keycloak
    finally:
        await keycloak.client.aclose()
        if child.returncode is None:
            child.terminate()
        await child.wait()


async def _ready(keycloak: Keycloak, child: asyncio.subprocess.Process, log: Path) -> None:
    async with asyncio.timeout(READY_SECONDS):
        while True:
            if child.returncode is not None:
                raise AssertionError(f"Keycloak ended:\n{log.read_text()[-3000:]}")
            try:
                if (await keycloak.client.get(f"{keycloak.url}/realms/master")).status_code == httpx.codes.OK:
                    return
            except httpx.HTTPError:
                pass
            await asyncio.sleep(0.5)
